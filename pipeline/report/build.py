"""The batch report: which tables are complete, their inputs, and the coverage of each scorer.

A report depends on the batch and its receipts alone, so two equal runs write equal bytes. A report on disk is checked by
building it again and comparing. Its JSON Schema ships with the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NotRequired, TypeAlias, TypedDict

from ..manifest.batch import Batch, default_markdown, default_report
from ..manifest.entries import TableEntry
from ..records.materialized import Materialized, TableSummary
from ..records.provenance import RunProvenance, run_provenance
from ..records.receipts import Failure
from ..storage import filenames, jsontext
from ..storage.files import FileDescription
from ..storage.jsontext import JsonObject

REPORT_SCHEMA = "second-opinion-materializer-batch-v1"
TableStatus: TypeAlias = Literal["ok", "failed", "waiting", "not_run"]


@dataclass(frozen=True)
class TableState:
    """State of one table after a run: complete, failed, waiting, or not run if none of them.

    Attributes:
        stale: why the existing table is out of date, if it is neither complete nor failed.
    """

    entry: TableEntry
    built: Materialized | None = None
    failure: Failure | None = None
    stale: tuple[str, ...] = ()

    @property
    def status(self) -> TableStatus:
        """The status that the report shows."""
        if self.built is not None:
            return "ok"
        return "not_run" if self.failure is None else self.failure.status


class TableReport(TypedDict):
    """One table of the report. A table that is not `ok` has an `error` instead of a summary and files."""

    id: str
    features: str | JsonObject
    scores: list[str | JsonObject]
    out: str
    audit_json: str | None
    config: JsonObject
    status: TableStatus
    error: NotRequired[str]
    summary: NotRequired[TableSummary]
    fingerprint: NotRequired[str]
    versions: NotRequired[dict[str, str]]
    inputs: NotRequired[dict[str, FileDescription]]
    outputs: NotRequired[dict[str, FileDescription]]


class BatchSummary(TypedDict):
    """Counts over all tables of the batch; rows are counted over the tables that are `ok`."""

    tables: int
    failed_tables: int
    waiting_tables: int
    input_rows: int
    output_rows: int


class Report(TypedDict):
    """The report, `second-opinion-materializer-batch-v1`."""

    schema: str
    status: Literal["ok", "failed"]
    manifest: str
    summary: BatchSummary
    tables: list[TableReport]
    run_provenance: RunProvenance


def build_report(batch: Batch, states: Iterable[TableState]) -> Report:
    """The report of a batch whose tables have these states, in the manifest's order."""
    tables = [_table(state) for state in states]
    manifest = batch.relative(batch.manifest)
    return {
        "schema": REPORT_SCHEMA,
        "status": "ok" if all(table["status"] == "ok" for table in tables) else "failed",
        "manifest": manifest,
        "summary": {
            "tables": len(tables),
            "failed_tables": sum(table["status"] == "failed" for table in tables),
            "waiting_tables": sum(table["status"] == "waiting" for table in tables),
            "input_rows": sum(table["summary"]["input_rows"] for table in tables if "summary" in table),
            "output_rows": sum(table["summary"]["output_rows"] for table in tables if "summary" in table),
        },
        "tables": tables,
        "run_provenance": _provenance(batch, manifest, tables),
    }


def render(report: Report) -> bytes:
    """The bytes of the report; their sha256 is what a training job cites."""
    return jsontext.pretty(report)


def _table(state: TableState) -> TableReport:
    entry = state.entry.as_json()
    table: TableReport = {
        "id": state.entry.id,
        "features": entry["features"],
        "scores": entry["scores"],
        "out": entry["out"],
        "audit_json": entry["audit_json"],
        "config": entry["config"],
        "status": state.status,
    }
    if state.built is not None:
        table["summary"] = state.built.summary
        table["fingerprint"] = state.built.fingerprint
        table["versions"] = state.built.versions
        table["inputs"] = state.built.inputs
        table["outputs"] = state.built.outputs
    else:
        not_run = "; ".join(["not run", *state.stale])
        table["error"] = not_run if state.failure is None else state.failure.error
    return table


def _provenance(batch: Batch, manifest: str, tables: Iterable[TableReport]) -> RunProvenance:
    report_json = batch.relative(batch.report_json)
    report_md = batch.relative(batch.report_md)
    described: FileDescription = {"path": manifest, "exists": True, "kind": "file", "sha256": batch.sha256}
    inputs: dict[str, FileDescription] = {"manifest": described}
    outputs: dict[str, FileDescription] = {}
    for table in tables:
        inputs |= _below(table["id"], table.get("inputs", {}))
        outputs |= _below(table["id"], table.get("outputs", {}))
    return run_provenance(
        argv=batch_argv(batch, "run"),
        args={
            "manifest": manifest,
            "base_dir": ".",
            "base_dir_from_report": filenames.relative(
                filenames.resolved(batch.base_dir), filenames.resolved(batch.report_json.parent)
            ),
            "report_json": report_json,
            "report_md": report_md,
        },
        inputs=inputs,
        outputs=outputs,
    )


def batch_argv(batch: Batch, command: str) -> list[str]:
    """The arguments of a command on the batch, run in the base folder; flags that equal the default are left out."""
    argv = ["second-opinion", command, batch.relative(batch.manifest)]
    if filenames.resolved(batch.base_dir) != filenames.resolved(batch.manifest.parent):
        argv += ["--base-dir", "."]
    expected = default_report(batch.manifest)
    if filenames.resolved(batch.report_json) != filenames.resolved(expected):
        argv += ["--report-json", batch.relative(batch.report_json)]
    if filenames.resolved(batch.report_md) != filenames.resolved(default_markdown(batch.report_json)):
        argv += ["--report-md", batch.relative(batch.report_md)]
    return argv


def _below(table: str, described: Mapping[str, FileDescription]) -> dict[str, FileDescription]:
    return {f"{table}.{role}": description for role, description in described.items()}
