"""The audit as Markdown, for people; it says nothing that the JSON does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipeline.evidence.documents import Audit, Signal, TableAudit, ranked_signals
from pipeline.evidence.render.numbers import fixed, interval, number, share
from pipeline.report.escaping import escaped, escaped_block
from pipeline.report.markdown import heading, markdown_table, provenance_lines

MAX_ROWS = 20
"""Of a table that may be long; the JSON holds all of it."""


def audit_markdown(document: Audit) -> bytes:
    """The audit as GitHub-flavoured Markdown (UTF-8); all that comes from inputs is escaped."""
    return "\n".join(_lines(document)).encode("utf-8")


def _lines(document: Audit) -> Iterator[str]:
    tables = document["tables"]
    yield from heading(f"Audit of the signal mix: {document['manifest']}", level=1)
    report, families = document["report"], document["families"]
    made_of = (
        f"Report: {report['path']}, sha256 {report['sha256']}. "
        f"Families: {families['source']}, sha256 {families['sha256']}."
    )
    yield f"Status: **{document['status']}**. Tables: {len(tables)}. {escaped(made_of)}"
    yield ""
    yield from _leaks(tables)
    yield from _errors(document)
    yield from _actions("Next actions", document["batch"]["next_actions"])
    yield from _matrix(document)
    yield from _strongest(document)
    for table in tables:
        yield from _table(table)
    yield from provenance_lines(document["run_provenance"])


def _leaks(tables: Sequence[TableAudit]) -> Iterator[str]:
    leaks = [(table, leak) for table in tables for leak in table["leaks"]]
    if leaks:
        yield from _heading(
            "Leaks", "These scores are the label, or nearly: nothing that is trained on them is evidence."
        )
        yield from markdown_table(
            ["table", "column", "label", "rows", "Pearson", "Spearman"],
            (
                [
                    table["id"],
                    leak["column"],
                    table["target"] or "",
                    number(leak["n"]),
                    number(leak["pearson"], 6),
                    number(leak["spearman"], 6),
                ]
                for table, leak in leaks
            ),
        )


def _errors(document: Audit) -> Iterator[str]:
    if errors := document.get("errors"):
        yield from _heading("Errors", "These tables have no audit.")
        yield from _items(f"{each['id']}: {each['error']}" for each in errors)


def _actions(title: str, actions: Sequence[str]) -> Iterator[str]:
    if actions:
        yield from heading(title)
        yield from _items(actions)


def _matrix(document: Audit) -> Iterator[str]:
    """Families down, tables across."""
    batch, tables = document["batch"], document["tables"]
    if not batch["coverage"]:
        return
    yield from _heading(
        "Coverage",
        "covered: a column has enough values, and they differ. weak: there are columns, and none is like that. "
        "missing: there is no column.",
    )
    statuses = [{each["name"]: each["status"] for each in table["families"]} for table in tables]
    yield from markdown_table(
        ["family", *(table["id"] for table in tables), "covered", "weak", "missing"],
        (
            [
                each["title"],
                *(status[each["family"]] for status in statuses),
                *(str(number) for number in (each["covered"], each["weak"], each["missing"])),
            ]
            for each in batch["coverage"]
        ),
    )
    if batch["blind_spots"]:
        titles = {each["family"]: each["title"] for each in batch["coverage"]}
        yield escaped(f"Blind spots: {'; '.join(titles[each] for each in batch['blind_spots'])}.")
        yield ""


def _strongest(document: Audit) -> Iterator[str]:
    if strongest := document["batch"]["strongest"]:
        yield from _heading("Strongest signals", "By Spearman with the label, over all tables.")
        yield from markdown_table(
            ["table", "column", "family", "rows", "Spearman"],
            (
                [each["table"], each["column"], each["family"], number(each["n"]), fixed(each["spearman"])]
                for each in strongest
            ),
        )


def _table(table: TableAudit) -> Iterator[str]:
    yield from heading(f"Table {table['id']}")
    groups = "none declared" if table["groups"] is None else number(table["groups"])
    yield escaped_block(
        f"{table['out']}: {number(table['rows'])} rows, contents: {groups}, "
        f"label: {table['target'] or 'none declared'}."
    )
    yield ""
    yield from markdown_table(
        ["scorer", "column", "direction", "scale", "revision", "ok", "bad", "missing", "coverage"],
        (
            [
                each["label"],
                each["column"],
                each["direction"] or "",
                "" if each["scale"] is None else " to ".join(number(end) for end in each["scale"]),
                each["revision"] or "",
                *(number(count) for count in (each["ok"], each["bad"], each["missing"])),
                share(each["coverage"]),
            ]
            for each in table["scorers"]
        ),
    )
    yield from _findings(table)
    yield from _signals(table)
    yield from _pairs(table)


def _findings(table: TableAudit) -> Iterator[str]:
    if findings := table["findings"]:
        yield from _heading("Findings", _shown(len(findings)), level=3)
        yield from markdown_table(
            ["kind", "column", "what was found"],
            ([each["kind"].replace("_", " "), each["column"], each["text"]] for each in findings[:MAX_ROWS]),
        )


def _signals(table: TableAudit) -> Iterator[str]:
    if not table["signals"]:
        return
    ranked = ranked_signals(table["signals"])
    note = "Intervals: 95 %, over contents; of twenty that should hold 0, one misses it by chance. "
    yield from _heading(
        "Signals",
        f"{note}Partial: Spearman beyond what the baseline predicts. {_shown(len(ranked))}",
        level=3,
    )
    yield from markdown_table(
        ["column", "family", "role", "finite", "mean", "std", "rows", "Pearson", "Spearman", "partial"],
        ([*_described(each), *_with_target(each)] for each in ranked[:MAX_ROWS]),
    )


def _described(signal: Signal) -> list[str]:
    return [
        signal["column"],
        signal["family"],
        signal["role"],
        share(signal["finite_share"]),
        number(signal["mean"]),
        number(signal["std"]),
    ]


def _with_target(signal: Signal) -> list[str]:
    found = signal["target"]
    if found is None:
        return ["", "", "", ""]
    ends = found["intervals"]
    return [
        number(found["n"]),
        f"{fixed(found['pearson'])} {interval(ends['pearson'])}".rstrip(),
        f"{fixed(found['spearman'])} {interval(ends['spearman'])}".rstrip(),
        "" if found["partial"] is None else f"{fixed(found['partial'])} {interval(ends['partial'])}".rstrip(),
    ]


def _pairs(table: TableAudit) -> Iterator[str]:
    complementary, redundant = table["complementary"], table["redundant"]
    if complementary:
        yield from _heading(
            "Complements", f"Both go with the label, hardly with each other. {_shown(len(complementary))}", 3
        )
        yield from markdown_table(
            ["column", "with", "families", "Spearman", "with the label"],
            (
                [
                    *each["columns"],
                    " and ".join(each["families"]),
                    fixed(each["spearman"]),
                    " and ".join(map(fixed, each["with_target"])),
                ]
                for each in complementary[:MAX_ROWS]
            ),
        )
    if redundant:
        yield from _heading("Redundancies", f"They say the same. {_shown(len(redundant))}", 3)
        yield from markdown_table(
            ["column", "with", "Spearman"],
            ([*each["columns"], fixed(each["spearman"])] for each in redundant[:MAX_ROWS]),
        )


def _heading(title: str, note: str, level: int = 2) -> Iterator[str]:
    yield from heading(title, level)
    if note:
        yield note.strip()
        yield ""


def _items(texts: Iterable[str]) -> Iterator[str]:
    yield from (f"* {escaped_block(' '.join(text.split()))}" for text in texts)
    yield ""


def _shown(there: int) -> str:
    return f"The first {MAX_ROWS} of {there}." if there > MAX_ROWS else ""
