"""The work of the evidence's tasks: compute the part of a table, write a document and the page from the parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ..errors import BatchError, EvidenceError, listing
from ..manifest.batch import Batch
from ..manifest.entries import TableEntry
from ..manifest.families import load_families
from ..records.provenance import RunProvenance, run_provenance
from ..report.build import batch_argv
from ..storage import files, jsontext, writing
from ..storage.files import FileDescription
from ..storage.jsontext import JsonObject
from ..storage.locations import Location
from .audit.build import audit_batch, audit_table
from .documents import (
    AUDIT_SCHEMA,
    IMPACT_SCHEMA,
    Audit,
    Cited,
    Impact,
    LearningCurve,
    TableAudit,
    TableError,
    TableImpact,
    Transfer,
    rounded,
)
from .impact.full.learning import measure_learning, unmeasured_learning
from .impact.full.transfer import measure_transfer, unmeasured_transfer
from .impact.measure import measure_impact
from .render.audit_markdown import audit_markdown
from .render.impact_markdown import impact_markdown
from .render.page import render_page
from .state import KINDS, EvidenceState, Kind, PartKind, document_paths, failed_paths
from .statistics.models import named_model
from .table import EvidenceTable, read_table

_MAX_THREADS = 4


def compute_part(kind: PartKind, state: EvidenceState, *entries: TableEntry) -> JsonObject:
    """Compute the part of one table, or of two.

    :raises EvidenceError: a table lacks a column that the manifest names.
    :raises BatchError: a table cannot be read.
    """
    workers = min(_MAX_THREADS, os.cpu_count() or 1)
    if kind == "audit":
        part: Any = audit_table(_table(state, entries[0]), load_families(state.families), workers=workers)
    elif kind == "impact":
        part = measure_impact(_table(state, entries[0]), workers=workers)
    else:
        part = _full_part(kind, state, entries)
    body: JsonObject = rounded(part)
    return body


def _full_part(
    kind: PartKind, state: EvidenceState, entries: Sequence[TableEntry]
) -> LearningCurve | Transfer:
    """A learning curve or a transfer, with the model of the first table's impact; without one it is not measured."""
    impacts = [_impact_of(state, entry) for entry in entries]
    lacking = next((each for each in impacts if each["model"] is None), None)
    first, last = entries[0], entries[-1]
    if lacking is not None:
        reason = f"The impact of {lacking['id']} is not measurable: {lacking['reason']}"
        if kind == "learning":
            return unmeasured_learning(first.id, reason)
        return unmeasured_transfer(first.id, last.id, reason)
    model = named_model(impacts[0]["model"] or "")
    if kind == "learning":
        return measure_learning(_table(state, first), model)
    return measure_transfer(_table(state, first), _table(state, last), model)


def _impact_of(state: EvidenceState, entry: TableEntry) -> TableImpact:
    """The impact of a table, whose task comes first."""
    part = state.part("impact", entry)
    if part is None or part.body is None:
        raise _changed(entry)
    impact: TableImpact = part.body  # type: ignore[assignment]  # from its own JSON
    return impact


def _table(state: EvidenceState, entry: TableEntry) -> EvidenceTable:
    joined = state.joined(entry)
    if joined is None:
        raise _changed(entry)
    return read_table(entry, state.batch.base_dir, joined)


def _changed(entry: TableEntry) -> BatchError:
    return BatchError(f"{entry.id}: the table changed while its evidence was computed; run again")


def write_document(kind: Kind, state: EvidenceState) -> None:
    """Write a document and the page that shows it.

    :raises EvidenceError: a score follows the label too closely.
    :raises BatchError: something changed meanwhile, or a file cannot be written.
    """
    identity = state.document_identity(kind)
    if identity is None:
        raise BatchError(f"{state.batch.manifest}: a table changed while the evidence was written; run again")
    if kind == "audit":
        audit = _audit(state, "ok")
        if leaks := leak_faults(audit["tables"]):
            raise EvidenceError(
                listing("scores that are the label; a model that is given them learns nothing", leaks)
            )
        state.write(kind, identity, [jsontext.pretty(audit), audit_markdown(audit)])
    else:
        impact = _impact(state)
        state.write(kind, identity, [jsontext.pretty(impact), impact_markdown(impact)])
    for path in failed_paths(state.batch, kind):
        writing.remove(path)
    write_page(state)


def write_page(state: EvidenceState) -> None:
    """Write the page from the documents that are up to date.

    :raises BatchError: there is none, or the page cannot be written.
    """
    identity = state.page_identity()
    if identity is None:
        raise BatchError(f"{state.batch.manifest}: there is no audit to show; run again")
    shown = {kind: _read(state.batch, kind) for kind in KINDS if state.document_is_current(kind)}
    cited = {"Batch report": _report(state)}
    cited |= {kind.capitalize(): _document(state.batch, kind) for kind in shown}
    page = render_page(state.check.report, shown["audit"], shown.get("impact"), cited)
    state.write("page", identity, [page])


def write_failed(state: EvidenceState, errors: Sequence[TableError]) -> Location:
    """Write the parts of an audit that cannot be completed, and return the path of the JSON.

    :raises OutputError: it cannot be written.
    """
    audit = _audit(state, "failed")
    if errors:
        audit["errors"] = [*errors]
    paths = failed_paths(state.batch, "audit")
    for path, content in zip(paths, (jsontext.pretty(audit), audit_markdown(audit)), strict=True):
        if not files.holds(path, content):
            writing.write_whole(path, content)
    return paths[0]


def leak_faults(tables: Sequence[TableAudit]) -> list[str]:
    """The scores that follow the label too closely, each with its table."""
    return [
        f"{table['id']}: {leak['column']} {leak['reason']} (label {table['target']}, {leak['n']} rows); is the "
        "sidecar's score the label? Take it out"
        for table in tables
        for leak in table["leaks"]
    ]


def _audit(state: EvidenceState, status: Any) -> Audit:
    parts = [state.part("audit", entry) for entry in state.batch.tables]
    tables: list[Any] = [part.body for part in parts if part is not None and part.body is not None]
    return {
        "schema": AUDIT_SCHEMA,
        "status": status,
        "manifest": state.batch.relative(state.batch.manifest),
        "report": _report(state),
        "families": {
            "source": "package" if state.families is None else state.batch.relative(state.families),
            "sha256": state.families_sha256,
        },
        "tables": tables,
        "batch": rounded(audit_batch(tables)),
        "run_provenance": _provenance("audit", state),
    }


def _impact(state: EvidenceState) -> Impact:
    parts = [state.part("impact", entry) for entry in state.tables("impact")]
    tables: list[TableImpact] = [part.body for part in parts if part and part.body]  # type: ignore[misc]  # from its own JSON
    return {
        "schema": IMPACT_SCHEMA,
        "status": "ok",
        "manifest": state.batch.relative(state.batch.manifest),
        "report": _report(state),
        "audit": _document(state.batch, "audit"),
        "tables": tables,
        "learning_curves": _bodies("learning", state) if state.is_full else None,
        "transfers": _bodies("transfer", state) if state.is_full else None,
        "run_provenance": _provenance("impact", state),
    }


def _bodies(kind: PartKind, state: EvidenceState) -> Any:
    """The parts of a kind of the impact in full."""
    parts = [state.part(each, *entries) for each, entries in state.full_parts() if each == kind]
    return [part.body for part in parts if part and part.body]


def _report(state: EvidenceState) -> Cited:
    batch = state.batch
    return {"path": batch.relative(batch.report_json), "sha256": state.check.sha256}


def _document(batch: Batch, kind: Kind) -> Cited:
    path = document_paths(batch, kind)[0]
    return {"path": batch.relative(path), "sha256": files.digest(path)}


def _provenance(kind: Kind, state: EvidenceState) -> RunProvenance:
    """The inputs of the document: the report (which cites its own inputs) and the joined tables."""
    batch = state.batch
    report = _report(state)
    inputs: dict[str, FileDescription] = {
        "report": {"path": report["path"], "exists": True, "kind": "file", "sha256": report["sha256"]}
    }
    for entry in state.tables(kind):
        if (joined := state.joined(entry)) is not None:
            inputs[f"{entry.id}.out"] = joined.outputs["out"]
    if state.families is not None:
        inputs["families"] = files.describe(state.families, batch.base_dir, state.families_sha256)
    args: JsonObject = {
        "manifest": batch.relative(batch.manifest),
        "base_dir": ".",
        "report_json": report["path"],
    }
    argv = batch_argv(batch, kind)
    if kind == "impact" and state.is_full:
        args["full"] = True
        argv += ["--full"]
    if state.families is not None:
        args["families"] = batch.relative(state.families)
        argv += ["--families", args["families"]]
    return run_provenance(argv=argv, args=args, inputs=inputs, outputs={})


def _read(batch: Batch, kind: Kind) -> Any:
    return jsontext.parse(files.read_bytes(document_paths(batch, kind)[0]))
