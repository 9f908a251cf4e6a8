"""What the tasks of evidence do: work out a table's part, write a document and the page from the parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import BatchError, EvidenceError, listing
from pipeline.evidence.audit.build import audit_batch, audit_table
from pipeline.evidence.audit.families import load_families
from pipeline.evidence.documents import (
    AUDIT_SCHEMA,
    IMPACT_SCHEMA,
    Audit,
    Cited,
    Impact,
    TableAudit,
    TableError,
    TableImpact,
    rounded,
)
from pipeline.evidence.impact.measure import measure_impact
from pipeline.evidence.reading import read_table
from pipeline.evidence.render.audit_markdown import audit_markdown
from pipeline.evidence.render.impact_markdown import impact_markdown
from pipeline.evidence.render.page import render_page
from pipeline.evidence.state import KINDS, Kind, Standing, document_paths, failed_paths
from pipeline.manifest.batch import Batch
from pipeline.manifest.entries import TableEntry
from pipeline.records.provenance import RunProvenance, run_provenance
from pipeline.report.build import batch_argv
from pipeline.storage import files, jsontext, writing
from pipeline.storage.files import FileDescription
from pipeline.storage.jsontext import JsonObject

_MOST_THREADS = 4


def work_out(kind: Kind, standing: Standing, entry: TableEntry) -> JsonObject:
    """The part of one table.

    :raises EvidenceError: the table lacks what the manifest asks for.
    :raises BatchError: the table cannot be read.
    """
    made = standing.made(entry)
    if made is None:
        raise BatchError(f"{entry.id}: the table changed while its evidence was worked out; run again")
    table = read_table(entry, standing.batch.base_dir, made)
    part: Any = (
        audit_table(table, load_families(standing.families))
        if kind == "audit"
        else measure_impact(table, workers=min(_MOST_THREADS, os.cpu_count() or 1))
    )
    body: JsonObject = rounded(part)
    return body


def write_document(kind: Kind, standing: Standing) -> None:
    """Write a document and the page that shows it.

    :raises EvidenceError: a score follows the label too closely.
    :raises BatchError: something changed meanwhile, or a file cannot be written.
    """
    identity = standing.document_identity(kind)
    if identity is None:
        raise BatchError(
            f"{standing.batch.manifest}: a table changed while the evidence was written; run again"
        )
    if kind == "audit":
        audit = _audit(standing, "ok")
        if leaks := leak_faults(audit["tables"]):
            raise EvidenceError(
                listing("scores that are the label; a model that is given them learns nothing", leaks)
            )
        standing.write(kind, identity, [jsontext.pretty(audit), audit_markdown(audit)])
    else:
        impact = _impact(standing)
        standing.write(kind, identity, [jsontext.pretty(impact), impact_markdown(impact)])
    for path in failed_paths(standing.batch, kind):
        writing.remove(path)
    write_page(standing)


def write_page(standing: Standing) -> None:
    """Write the page from the documents that stand.

    :raises BatchError: there is none, or the page cannot be written.
    """
    identity = standing.page_identity()
    if identity is None:
        raise BatchError(f"{standing.batch.manifest}: there is no audit to show; run again")
    shown = {kind: _read(standing.batch, kind) for kind in KINDS if standing.document_stands(kind)}
    cited = {"Batch report": _report(standing)}
    cited |= {kind.capitalize(): _document(standing.batch, kind) for kind in shown}
    page = render_page(standing.check.report, shown["audit"], shown.get("impact"), cited)
    standing.write("page", identity, [page])


def write_failed(standing: Standing, errors: Sequence[TableError]) -> Path:
    """Write what is known of an audit that cannot be given; gives where it stands.

    :raises OutputError: it cannot be written.
    """
    audit = _audit(standing, "failed")
    if errors:
        audit["errors"] = [*errors]
    paths = failed_paths(standing.batch, "audit")
    for path, content in zip(paths, (jsontext.pretty(audit), audit_markdown(audit)), strict=True):
        if not files.holds(path, content):
            writing.write_whole(path, content)
    return paths[0]


def leak_faults(tables: Sequence[TableAudit]) -> list[str]:
    """The scores that follow the label too closely, each with its table."""
    return [
        f"{table['id']}: {leak['column']} follows {table['target']}: Pearson {leak['pearson']}, "
        f"Spearman {leak['spearman']} over {leak['n']} rows; is the sidecar's score the label? Take it out"
        for table in tables
        for leak in table["leaks"]
    ]


def _audit(standing: Standing, status: Any) -> Audit:
    parts = [standing.part("audit", entry) for entry in standing.batch.tables]
    tables: list[Any] = [part.body for part in parts if part is not None and part.body is not None]
    return {
        "schema": AUDIT_SCHEMA,
        "status": status,
        "manifest": standing.batch.relative(standing.batch.manifest),
        "report": _report(standing),
        "families": {
            "source": "package" if standing.families is None else standing.batch.relative(standing.families),
            "sha256": standing.families_sha256,
        },
        "tables": tables,
        "batch": rounded(audit_batch(tables)),
        "run_provenance": _provenance("audit", standing),
    }


def _impact(standing: Standing) -> Impact:
    parts = [standing.part("impact", entry) for entry in standing.tables("impact")]
    tables: list[TableImpact] = [part.body for part in parts if part and part.body]  # type: ignore[misc]  # from its own JSON
    return {
        "schema": IMPACT_SCHEMA,
        "status": "ok",
        "manifest": standing.batch.relative(standing.batch.manifest),
        "report": _report(standing),
        "audit": _document(standing.batch, "audit"),
        "tables": tables,
        "run_provenance": _provenance("impact", standing),
    }


def _report(standing: Standing) -> Cited:
    batch = standing.batch
    return {"path": batch.relative(batch.report_json), "sha256": standing.check.sha256}


def _document(batch: Batch, kind: Kind) -> Cited:
    path = document_paths(batch, kind)[0]
    return {"path": batch.relative(path), "sha256": files.digest(path)}


def _provenance(kind: Kind, standing: Standing) -> RunProvenance:
    """What the document was made of: the report, and with it all that the report cites; the joined tables."""
    batch = standing.batch
    report = _report(standing)
    inputs: dict[str, FileDescription] = {
        "report": {"path": report["path"], "exists": True, "kind": "file", "sha256": report["sha256"]}
    }
    for entry in standing.tables(kind):
        if (made := standing.made(entry)) is not None:
            inputs[f"{entry.id}.out"] = made.outputs["out"]
    if standing.families is not None:
        inputs["families"] = files.describe(standing.families, batch.base_dir, standing.families_sha256)
    args = {"manifest": batch.relative(batch.manifest), "base_dir": ".", "report_json": report["path"]}
    argv = batch_argv(batch, kind)
    if standing.families is not None:
        args["families"] = batch.relative(standing.families)
        argv += ["--families", args["families"]]
    return run_provenance(argv=argv, args=args, inputs=inputs, outputs={})


def _read(batch: Batch, kind: Kind) -> Any:
    return jsontext.parse(files.read_bytes(document_paths(batch, kind)[0]))
