"""The batch report as Markdown, for people; it contains nothing that the JSON does not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from pipeline.errors import one_line
from pipeline.records.materialized import explain_files, explain_losses
from pipeline.records.provenance import RunProvenance
from pipeline.report.build import Report, TableReport

# What Markdown would interpret inside a line or a table cell: an underscore at the edge of a word only, and what GitHub
# takes for the address of a page or a person.
_SPECIAL = re.compile(r"([\\`*\[\]<>#|~&@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?i:(?<=www)\.))")
# What would begin a list or underline a heading.
_OPENING = re.compile(r"^([0-9]*)([-+=.)])")


def to_markdown(report: Report) -> bytes:
    """The report as GitHub-flavoured Markdown (UTF-8); all that comes from inputs is escaped."""
    return "\n".join(_lines(report)).encode("utf-8")


def _lines(report: Report) -> Iterator[str]:
    summary = report["summary"]
    yield f"# Batch report: {escaped(report['manifest'])}"
    yield ""
    yield f"Status: **{report['status']}**. Tables: {summary['tables']}, failed {summary['failed_tables']}, "
    yield f"waiting {summary['waiting_tables']}. Rows: {summary['input_rows']} in, {summary['output_rows']} out."
    yield ""
    yield "## Tables"
    yield ""
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
    made = [(table["id"], table["summary"]) for table in tables if "summary" in table]
    if made:
        yield "## Coverage"
        yield ""
        yield "Rows of the feature table per scorer. Unused: scores that no row has. Shared: rows whose score a row of"
        yield "another key has as well."
        yield ""
        yield from markdown_table(
            ["table", "scorer", "columns", "loaded", "matched", "missing", "bad", "unused", "shared"],
            (
                [table, each["competitor"], f"{each['column_prefix']}_...", *map(str, counts)]
                for table, summary in made
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
            noted += [f"* {escaped(table['id'])}: {escaped(note)}" for note in notes]
    if noted:
        yield from ("## Notes", "", *noted, "")


def _errors(tables: Iterable[TableReport]) -> Iterator[str]:
    failed = [table for table in tables if "error" in table]
    if failed:
        yield "## Errors"
        yield ""
    for table in failed:
        yield f"* {escaped(table['id'])} ({table['status']}):"
        yield from (f"  {escaped(line.strip().removeprefix('- '))}  " for line in table["error"].splitlines())
    if failed:
        yield ""


def provenance_lines(provenance: RunProvenance) -> Iterator[str]:
    """The lines of the section about a document's provenance."""
    yield "## Provenance"
    yield ""
    yield f"Replay, from the base folder: {escaped(shlex.join(provenance['argv']))}"
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(provenance["versions"].items()))
    yield f"Versions: {escaped(versions)}. Code: {provenance['code_sha256']}."
    yield ""
    for title, described in (("Inputs", provenance["inputs"]), ("Outputs", provenance["outputs"])):
        yield f"### {title}"
        yield ""
        yield from markdown_table(
            ["role", "path", "sha256"],
            ([role, each["path"], each.get("sha256", each["kind"])] for role, each in described.items()),
        )


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one; all cells are escaped."""
    yield _row([escaped(cell) for cell in header])
    yield _row(["---"] * len(header))
    yield from (_row([escaped(cell) for cell in row]) for row in rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """`text` as Markdown that shows it: special characters escaped, control characters made visible."""
    return _OPENING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", one_line(text.strip(" "))))
