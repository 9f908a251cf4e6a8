"""Audits of made tables, and what tests read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.evidence.audit.build import audit_batch, audit_table
from pipeline.evidence.documents import Audit, Signal, TableAudit, TableError, rounded
from pipeline.evidence.table import EvidenceTable
from pipeline.manifest.families import load_families
from tests.support.evidence_documents import batch_audit
from tests.support.evidence_tables import column

FAMILIES = load_families()
DOVER = column("dover")

ODD = arrays.arrays(
    np.float64,
    12,
    elements=st.one_of(st.floats(width=64), st.sampled_from([0.0, 1.0, 2.0, np.nan, np.inf])),
)
"""Columns of twelve values, odd ones among them."""


def audited(table: EvidenceTable) -> TableAudit:
    """The audit of a table as its document holds it."""
    body: TableAudit = rounded(audit_table(table, FAMILIES))
    return body


def signal(table: TableAudit, name: str) -> Signal:
    """One signal of an audit."""
    return next(each for each in table["signals"] if each["column"] == name)


def with_target(table: TableAudit, name: str) -> Any:
    """How a signal goes with the label."""
    return signal(table, name)["target"]


def document(*tables: TableAudit, manifest: str = "m.json", errors: Sequence[TableError] = ()) -> Audit:
    """A document that holds these audits."""
    body = batch_audit(tables)
    body["status"] = "failed" if errors or any(each["leaks"] for each in tables) else "ok"
    body["manifest"], body["tables"], body["batch"] = manifest, [*tables], rounded(audit_batch(tables))
    if errors:
        body["errors"] = [*errors]
    return body


def declared(table: EvidenceTable, **changes: Any) -> EvidenceTable:
    """The table with other declarations of its scorers."""
    return replace(table, scorers=tuple(replace(each, **changes) for each in table.scorers))


def findings(table: TableAudit) -> list[tuple[str, str]]:
    """Kinds and columns of what was found."""
    return [(each["kind"], each["column"]) for each in table["findings"]]
