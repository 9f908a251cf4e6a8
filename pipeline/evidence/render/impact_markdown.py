"""The impact as Markdown, for people; it says nothing that the JSON does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pipeline.evidence.documents import Arm, Delta, Impact, Interval, TableImpact
from pipeline.evidence.render.numbers import fixed, number, plural, signed
from pipeline.report.escaping import escaped
from pipeline.report.markdown import heading, markdown_table, provenance_lines

_TITLES = {
    "srcc": "SRCC",
    "krcc": "KRCC",
    "plcc": "PLCC",
    "rmse": "RMSE",
    "plcc_mapped": "PLCC mapped",
    "rmse_mapped": "RMSE mapped",
}


def impact_markdown(document: Impact) -> bytes:
    """The impact as GitHub-flavoured Markdown (UTF-8); all that comes from inputs is escaped."""
    return "\n".join(_lines(document)).encode("utf-8")


def _lines(document: Impact) -> Iterator[str]:
    tables = document["tables"]
    yield from heading(f"Impact of the scores: {document['manifest']}", level=1)
    report, audit = document["report"], document["audit"]
    made_of = f"Report: {report['path']}, sha256 {report['sha256']}. Audit: {audit['path']}, sha256 {audit['sha256']}."
    yield f"Status: **{document['status']}**. Tables: {len(tables)}. {escaped(made_of)}"
    yield ""
    yield from heading("Verdicts")
    yield from markdown_table(
        ["table", "label", "verdict", "SRCC base", "with scores", "change", "interval"],
        (_verdict(table) for table in tables),
    )
    for table in tables:
        yield from _table(table)
    yield from provenance_lines(document["run_provenance"])


def _verdict(table: TableImpact) -> list[str]:
    arms = {arm["name"]: arm["srcc"] for arm in table["arms"]}
    deltas = {delta["name"]: delta for delta in table["deltas"]}
    cells = [
        table["id"],
        table["target"],
        table["verdict"],
        fixed(arms.get("base")),
        fixed(arms.get("base+scores")),
    ]
    if found := deltas.get("base+scores"):
        return [*cells, signed(found["srcc"]), _ends(found["intervals"]["srcc"], signed)]
    return [*cells, signed(None), ""]


def _table(table: TableImpact) -> Iterator[str]:
    yield from heading(table["id"])
    yield f"**{table['verdict']}**: {escaped(table['reason'])}"
    yield ""
    yield escaped(
        f"Label: {table['target']}. Corpus: {table['corpus']}. "
        f"{_counted(table['rows'], table['groups'])} with all scores; groups: {_grouping(table)}."
    )
    yield ""
    if not table["arms"]:
        return
    yield from _protocol(table)
    yield from _compared(table["arms"], table["deltas"], "rows with all scores")
    if every := table["all_rows"]:
        yield f"{_counted(every['rows'], every['groups'])} with a label; a score that is missing is imputed."
        yield ""
        yield from _compared(every["arms"], every["deltas"], "all rows")


def _counted(rows: int, groups: int | None) -> str:
    return plural(rows, "row") if groups is None else f"{plural(rows, 'row')} in {plural(groups, 'group')}"


def _grouping(table: TableImpact) -> str:
    if table["group"] is not None:
        return table["group"]
    return "none" if table["groups"] is None else "each row is a content of its own"


def _protocol(table: TableImpact) -> Iterator[str]:
    protocol = table["protocol"]
    compared = 100 * (1 - (1 - protocol["level"]) / protocol["comparisons"])
    yield escaped(
        f"Model: {table['model']}. Settings: {protocol['tuning']}. "
        f"Folds: {protocol['folds']} of whole groups, {protocol['repeats']} times, seed {protocol['seed']}. "
        f"Intervals: {protocol['bootstrap']:,} draws of groups, {100 * protocol['level']:g} %; those of changes "
        f"{compared:.4g} %, for {plural(protocol['comparisons'], 'scorer')} tried."
    )
    yield ""


def _compared(arms: Sequence[Arm], deltas: Sequence[Delta], rows: str) -> Iterator[str]:
    yield from heading(f"Arms, {rows}", level=3)
    yield from markdown_table(
        ["arm", "columns", *_TITLES.values(), "mapping failed"],
        (
            [arm["name"], number(arm["features"]), *_cells(arm, fixed), number(arm["mapping_failures"])]
            for arm in arms
        ),
    )
    yield from heading(f"Changes from base, {rows}", level=3)
    yield from markdown_table(
        ["arm", *_TITLES.values()], ([delta["name"], *_cells(delta, signed)] for delta in deltas)
    )


def _cells(found: Arm | Delta, spelled: Callable[[float | None], str]) -> list[str]:
    figures: dict[str, float | None] = {
        "srcc": found["srcc"],
        "krcc": found["krcc"],
        "plcc": found["plcc"],
        "rmse": found["rmse"],
        "plcc_mapped": found["plcc_mapped"],
        "rmse_mapped": found["rmse_mapped"],
    }
    return [
        f"{spelled(value)} {_ends(found['intervals'].get(name), spelled)}".strip()
        for name, value in figures.items()
    ]


def _ends(ends: Interval | None, spelled: Callable[[float | None], str]) -> str:
    return "" if ends is None or None in ends else f"[{', '.join(spelled(end) for end in ends)}]"
