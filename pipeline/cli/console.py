"""What a terminal or a log shows of a batch: the progress and the summary of a run, and a preview."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..errors import count, printable, show
from ..records.materialized import Coverage, covered_line, explain, explain_losses
from ..report.build import Report, TableReport

if TYPE_CHECKING:  # a run in which nothing changed does not load pyarrow
    from ..join.preview import Example, TablePreview
    from ..report.comparison import Difference, ScorerChange
    from ..tasks.luigi_internals import Watch

_LOG_WIDTH = 160
_MAX_SHOWN = 50
_STYLES = {"ok": "green", "failed": "red", "waiting": "yellow", "not_run": "dim"}


@contextlib.contextmanager
def progress(console: Console, tables: int) -> Iterator[Watch]:
    """Show each table as it ends: a bar on a terminal, a line in a log."""
    ended: dict[str, bool] = {}
    if not console.is_terminal:
        yield lambda table, complete: _log(console, ended, table, complete, tables)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("joining", total=tables)

        def show(table: str, complete: bool) -> None:
            ended[table] = complete
            with contextlib.suppress(OSError, SystemExit):  # as below; rich would end the process
                bar.update(task, completed=len(ended), description=table)

        yield show


def summary(report: Report) -> Table:
    """The tables of a report with their rows, and matched/missing/bad rows per scorer."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("table", "status"):
        shown.add_column(name, no_wrap=True)
    for name in ("rows in", "rows out"):
        shown.add_column(name, justify="right")
    shown.add_column("per scorer: matched/missing/bad", overflow="fold")
    tables = report["tables"]
    if len(tables) > _MAX_SHOWN:  # the incomplete ones come first; the report lists all
        tables = sorted(tables, key=lambda table: table["status"] == "ok")[:_MAX_SHOWN]
        shown.caption = f"{len(tables)} of {len(report['tables'])} tables; the report lists all"
    for table in tables:
        shown.add_row(*_cells(table))
    return shown


def preview(table: TablePreview) -> Group:
    """A table as it would be joined: per scorer its counts, a few rows, and why few match."""
    head = Text(f"{table.id}: ").append(table.status, style=_STYLES[table.status])
    if table.rows is not None:
        key = "key column" if len(table.key_columns) == 1 else "key columns"
        head.append(f", {count(table.rows, 'row')}, {key} {', '.join(map(show, table.key_columns))}")
    shown: list[Text | Padding] = [head, *(Text(f"  {printable(note)}") for note in table.notes)]
    for scorer in table.scorers:
        shown.append(Text(f"  {printable(covered_line(scorer.covered))}"))
        shown.append(Padding(_examples(scorer.examples), (0, 0, 0, 4), expand=False))
        if table.error is None:  # the error explains it already
            shown += [Text(f"    {printable(line)}") for line in explain(scorer.covered)]
    return Group(*shown)


def difference(found: Difference) -> Group:
    """What changed between two batches: a line per change, and a table of the scorers that changed."""
    from ..report.comparison import change_lines

    shown: list[Text | Padding] = [Text("the batches are equal")] if found.is_equal else []
    shown += [Text(f"added: {printable(each)}") for each in found.added]
    shown += [Text(f"removed: {printable(each)}") for each in found.removed]
    shown += [Text(f"renamed: {printable(old)} -> {printable(new)}") for old, new in found.renamed.items()]
    for name, change in found.tables.items():
        shown.append(Text(f"{printable(name)}: changed"))
        shown += [Text(f"  {printable(line)}") for line in change_lines(change)]
        if change.scorers:
            shown.append(Padding(_scorer_changes(change.scorers), (0, 0, 0, 2), expand=False))
        shown += [
            Text(f"  {printable(f'{label}: {each.key}: {each.old:g} -> {each.new:g}')}")
            for label, scorer in change.scorers.items()
            for each in (scorer.drift.moved if scorer.drift else ())
        ]
    return Group(*shown)


def _scorer_changes(scorers: Mapping[str, ScorerChange]) -> Table:
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("scorer", "coverage", "status"):
        shown.add_column(name, overflow="fold")
    for name in ("n", "Pearson", "Spearman", "max |d|", "median |d|", "turned"):
        shown.add_column(name, justify="right", no_wrap=True)
    for label, each in scorers.items():
        coverage = [f"{name} {change.old} -> {change.new}" for name, change in each.coverage.items()]
        statuses = [f"{name}: {count(rows, 'row')}" for name, rows in each.statuses.items()]
        moved = each.drift
        figures = (
            ()
            if moved is None
            else (
                moved.n,
                moved.pearson,
                moved.spearman,
                moved.max_difference,
                moved.median_difference,
                moved.turned,
            )
        )
        cells = [label, "\n".join(coverage), "\n".join(statuses), *map(_figure, figures)]
        shown.add_row(*(Text(printable(cell)) for cell in cells))
    return shown


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _examples(examples: Iterable[Example]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="")
    shown.add_column("key", overflow="fold")
    shown.add_column("score", justify="right", no_wrap=True)
    shown.add_column("status")
    for name in ("runtime_ms", "frames"):
        shown.add_column(name, justify="right")
    for each in examples:
        cells = (each.key, each.score, each.status, each.runtime_ms, each.frames)
        shown.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in cells))
    return shown


def warnings(report: Report) -> Iterator[str]:
    """Warnings about complete tables: notes, scorers that cover less than half, tables that lost every row."""
    for table in report["tables"]:
        if "summary" not in table:
            continue
        yield from (f"{table['id']}: {note}" for note in table["summary"].get("notes", []))
        rows = table["summary"]["input_rows"]
        if rows and not table["summary"]["output_rows"]:
            yield f"{table['id']}: missing_policy drop left none of {rows} rows, as none has a row of every scorer"
        for each in table["summary"]["competitors"].values():
            if "low_match" in each:
                with_row = rows - each["missing_rows"]
                matched = f"{table['id']}: {each['competitor']} matched {with_row} of {rows} rows"
                yield "\n    ".join([matched, *explain(each)])
            else:
                yield from (f"{table['id']}: {each['competitor']}: {line}" for line in explain(each))
        yield from (f"{table['id']}: {line}" for line in explain_losses(table["summary"]))


def summary_console(console: Console) -> Console:
    """Where the summary is shown: as wide as the terminal, in a log wide enough not to wrap."""
    return console if console.is_terminal else Console(file=console.file, width=_LOG_WIDTH)


def _cells(table: TableReport) -> list[Text]:
    status = Text(table["status"], style=_STYLES[table["status"]])
    if "summary" not in table:
        return [Text(table["id"]), status, Text(), Text(), Text()]
    counts = [_counts(each) for each in table["summary"]["competitors"].values()]
    rows = (table["summary"]["input_rows"], table["summary"]["output_rows"])
    return [Text(table["id"]), status, *(Text(str(each)) for each in rows), Text("\n".join(counts))]


def _counts(covered: Coverage) -> str:
    counts = f"{covered['matched_rows']}/{covered['missing_rows']}/{covered['bad_rows']}"
    shared = f" ({covered['shared_rows']} shared)" if covered["shared_rows"] else ""
    return f"{printable(covered['competitor'])} {counts}{shared}"


def _log(console: Console, ended: dict[str, bool], table: str, complete: bool, tables: int) -> None:
    ended[table] = complete
    # console.print would lay out and colour a plain line: 0.3 ms per table.
    with contextlib.suppress(OSError):  # a closed log does not stop the run
        console.file.write(
            f"{table}: {'complete' if complete else 'not complete'} ({len(ended)} of {tables})\n"
        )
        console.file.flush()
