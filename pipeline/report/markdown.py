"""The batch report as Markdown, for people; it contains nothing that the JSON does not."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from pipeline.records.materialized import explain_files, explain_losses
from pipeline.records.provenance import RunProvenance
from pipeline.report.build import Report, TableReport
from pipeline.report.escaping import escaped, escaped_block, escaped_cell, escaped_heading


def to_markdown(report: Report) -> bytes:
    """The report as GitHub-flavoured Markdown (UTF-8); all that comes from inputs is escaped."""
    return "\n".join(_lines(report)).encode("utf-8")


def _lines(report: Report) -> Iterator[str]:
    summary = report["summary"]
    yield from heading(f"Batch report: {report['manifest']}", level=1)
    yield (
        f"Status: **{report['status']}**. Tables: {summary['tables']}, failed {summary['failed_tables']}, "
        f"waiting {summary['waiting_tables']}. Rows: {summary['input_rows']} in, {summary['output_rows']} out."
    )
    yield ""
    yield from heading("Tables")
    yield from markdown_table(
        ["id", "status", "features", "out", "rows in", "rows out"],
        (_table_cells(table) for table in report["tables"]),
    )
    yield from _coverage(report["tables"])
    yield from _notes(report["tables"])
    yield from _errors(report["tables"])
    yield from provenance_lines(report["run_provenance"])


def _table_cells(table: TableReport) -> list[str]:
    summary = table.get("summary")
    rows = ["", ""] if summary is None else [str(summary["input_rows"]), str(summary["output_rows"])]
    features = table["features"]
    path = features if isinstance(features, str) else features["path"]
    return [table["id"], table["status"], path, table["out"], *rows]


def _coverage(tables: Sequence[TableReport]) -> Iterator[str]:
    complete = [(table["id"], table["summary"]) for table in tables if "summary" in table]
    if complete:
        yield from heading("Coverage")
        yield "Rows of the feature table per scorer. Unused: scores that no row has. Shared: rows whose score a row of"
        yield "another key has as well."
        yield ""
        yield from markdown_table(
            ["table", "scorer", "columns", "loaded", "matched", "missing", "bad", "unused", "shared"],
            (
                [table, each["competitor"], f"{each['column_prefix']}_...", *map(str, counts)]
                for table, summary in complete
                for each in summary["competitors"].values()
                for counts in [
                    [
                        each["scores_loaded"],
                        each["matched_rows"],
                        each["missing_rows"],
                        each["bad_rows"],
                        each["unused_scores"],
                        each["shared_rows"],
                    ]
                ]
            ),
        )


def _notes(tables: Iterable[TableReport]) -> Iterator[str]:
    noted = []
    for table in tables:
        if "summary" in table:
            notes = [*table["summary"].get("notes", []), *explain_losses(table["summary"])]
            for covered in table["summary"]["competitors"].values():
                notes += [f"{covered['competitor']}: {note}" for note in explain_files(covered)]
            noted += ["* " + escaped_block(f"{table['id']}: {note}") for note in notes]
    if noted:
        yield from heading("Notes")
        yield from (*noted, "")


def _errors(tables: Iterable[TableReport]) -> Iterator[str]:
    failed = [table for table in tables if "error" in table]
    if failed:
        yield from heading("Errors")
    for table in failed:
        yield f"* {escaped_block(_failed(table))}"
        yield from (f"  * {escaped_block(line)}" for line in _lines_of(table["error"]))
    if failed:
        yield ""


def _failed(table: TableReport) -> str:
    return f"{table['id']} ({table['status']}):"


def _lines_of(error: str) -> Iterator[str]:
    """The lines of a message, without the bullets of its list."""
    return filter(None, (line.strip().removeprefix("- ").strip() for line in error.splitlines()))


def provenance_lines(provenance: RunProvenance) -> Iterator[str]:
    """The lines of the section about a document's provenance."""
    yield from heading("Provenance")
    yield escaped(f"Replay, from the base folder: {shlex.join(provenance['argv'])}")
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(provenance["versions"].items()))
    yield escaped(f"Versions: {versions}. Code: {provenance['code_sha256']}.")
    yield ""
    for title, described in (("Inputs", provenance["inputs"]), ("Outputs", provenance["outputs"])):
        yield from heading(title, level=3)
        yield from markdown_table(
            ["role", "path", "sha256"],
            ([role, each["path"], each.get("sha256", each["kind"])] for role, each in described.items()),
        )


def heading(title: str, level: int = 2) -> Iterator[str]:
    """The line of a heading, and an empty one; the title is escaped."""
    yield f"{'#' * level} {escaped_heading(title)}"
    yield ""


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one; all cells are escaped."""
    yield _row([escaped_cell(cell) for cell in header])
    yield _row(["---"] * len(header))
    yield from (_row([escaped_cell(cell) for cell in row]) for row in rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
