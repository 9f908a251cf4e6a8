"""The audit as Markdown, for people; it contains nothing that the JSON does not."""

from __future__ import annotations

from pipeline.evidence.documents import Audit, TableAudit, ranked_signals
from pipeline.evidence.render.markdown import render_markdown

MAX_ROWS = 20
"""The most rows that one table of the Markdown shows; the JSON holds them all."""


def audit_markdown(document: Audit) -> bytes:
    """The audit as GitHub-flavoured Markdown (UTF-8); all that comes from inputs is escaped."""
    tables = document["tables"]
    return render_markdown(
        "audit.md.j2",
        document["run_provenance"],
        audit=document,
        leaks=[(table, leak) for table in tables for leak in table["leaks"]],
        statuses=[_statuses(table) for table in tables],
        titles={each["family"]: each["title"] for each in document["batch"]["coverage"]},
        ranked=ranked_signals,
        max_rows=MAX_ROWS,
    )


def _statuses(table: TableAudit) -> dict[str, str]:
    """The status of each family, by its name."""
    return {family["name"]: family["status"] for family in table["families"]}
