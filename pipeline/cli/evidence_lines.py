"""A short account of audits and impacts for a terminal; the documents hold the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import count


def audit_lines(audit: Mapping[str, Any]) -> Iterator[str]:
    """Per table what it covers and its findings; the document lists what to do about them."""
    for table in audit["tables"]:
        statuses = Counter(family["status"] for family in table["families"])
        counts = ", ".join(f"{statuses[status]} {status}" for status in ("covered", "weak", "missing"))
        yield f"{table['id']}: families of signals: {counts}"
        yield from (f"{table['id']}: {finding['column']}: {finding['text']}" for finding in table["findings"])
    if actions := audit["batch"]["next_actions"]:
        yield f"{count(len(actions), 'next action')}: see the audit"


def impact_lines(impact: Mapping[str, Any]) -> Iterator[str]:
    """Per table the verdict and the figure that decides it."""
    for table in impact["tables"]:
        yield f"{table['id']}: {table['verdict']}: {table['reason']}"
