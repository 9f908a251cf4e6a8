"""Rows of sidecars in every shape that scorers write them, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.batches.odds import once_in, one_of, weighted
from tests.support.batches.spelling import Keys, as_number, spelled

Row = dict[str, Any]

SCORES = st.floats(-100, 100) | st.integers(-5, 100)
RUNTIMES = st.sampled_from([12.5, 0, 3, 4.75, 100, "7.25", None, "n/a", True])
RUNTIME_NAMES = ("runtime_ms", "elapsed_ms", "Runtime_Total_MS")
NO_SCORES = (None, float("nan"), "n/a", float("inf"), "", True, "NaN", "0x1f", "1_0", "-", "e5", "1 2")
FIRST_SCORES = ("score", "predicted_mos", "MOS")  # those that are looked for before `vmaf` and `Quality`
ASPECTS = {"technical": "technical score", "aesthetic": "aesthetic score"}


@dataclass(frozen=True)
class Shape:
    """Where the rows of a sidecar hold what.

    Attributes:
        flat: whether values are texts and numbers only, as in a delimited file.
        key: the field of the key, perhaps a dotted path; None: the rows have none.
        key_inside: whether the key stands in `summary`.
        score: `frames`, `summary.` and a name, a name or a dotted path; "": one field per aspect.
        competitor: what names the scorer; None: the rows do not.
        explicit: whether the score's field is set, so that other candidates may stand beside it.
    """

    flat: bool
    key: str | None
    key_inside: bool
    score: str
    competitor: str | None
    explicit: bool


@st.composite
def sound_rows(draw: st.DrawFn, keys: Keys, clip: str, shape: Shape) -> Row:
    """A row that breaks no rule."""
    row: Row = {}
    if shape.key is not None:
        key = spelled(draw, clip, keys.scores)
        if shape.flat:
            row[shape.key] = key  # a field of exactly that name, even if it has dots
        else:
            put(row, ("summary." if shape.key_inside else "") + shape.key, as_number(draw, key))
    if shape.competitor is not None and not once_in(draw, 100):
        put(
            row,
            "competitor" if shape.flat or not once_in(draw, 6) else "summary.competitor",
            shape.competitor,
        )
    bad = once_in(draw, 8)
    if bad:
        put(
            row,
            "status",
            one_of(draw, "failed", "error", " timeout ", *(() if shape.flat else (False, 0, {}))),
        )
    elif once_in(draw, 4):
        put(row, one_of(draw, "status", "Status"), one_of(draw, "ok", "PASS ", "Success", "", None))
    if not shape.flat and once_in(draw, 15):
        put(row, "summary.status", one_of(draw, "failed", "ok"))
    add_score(draw, row, shape, missing=bad and once_in(draw, 2))
    holder = "" if shape.flat or once_in(draw, 2) else "summary."
    for name in draw(st.permutations(RUNTIME_NAMES))[: weighted(draw, {0: 4, 1: 2, 2: 3, 3: 1})]:
        put(row, holder + name, draw(RUNTIMES))
    if once_in(draw, 8) and not shape.key_inside and "path" not in row and shape.key != "Path":
        row["path"] = "some/where"  # the last candidate, which does not count beside another
    if once_in(draw, 6) and (shape.explicit or shape.score in FIRST_SCORES):
        add_beside(draw, row, explicit=shape.explicit)
    return row


def put(row: Row, place: str, value: object) -> None:
    """Set the field at the end of a dotted path."""
    *outer, name = place.split(".")
    for step in outer:
        row = row.setdefault(step, {})
    row[name] = value


def add_score(draw: st.DrawFn, row: Row, shape: Shape, *, missing: bool) -> None:
    """Give the row its score; where it may be missing, nothing or what is no score."""
    if shape.score == "frames":
        put(row, "frames", draw(frames()) if not missing else one_of(draw, [], None, [{}], [{"score": None}]))
        return
    if "[]" in shape.score and not shape.flat:
        items, _, inner = shape.score.partition("[]")
        found = [draw(listed_scores(inner.removeprefix("."))) for _ in range(draw(st.integers(1, 3)))]
        put(row, items, one_of(draw, [], None, [*found, {}]) if missing else found)
        return
    for place in [shape.score] if shape.score else list(ASPECTS.values()):
        value = one_of(draw, *NO_SCORES) if missing else draw(SCORES)
        if not missing and once_in(draw, 8):
            value = one_of(draw, f" {value}", "+3", "1e1 ", ".5", "7.", "-2.5E-3")
        if shape.flat:
            row[place] = value
        elif not (missing and once_in(draw, 3)):
            put(row, place, value)


@st.composite
def listed_scores(draw: st.DrawFn, inner: str) -> Any:
    """An item of a list of scores, which is inside the item at the path `inner`."""
    value = draw(SCORES)
    if not inner:
        return value
    item: Row = {}
    put(item, inner, value)
    return item


@st.composite
def frames(draw: st.DrawFn) -> list[Row]:
    """Frames with a score each, perhaps with runtimes."""
    name = one_of(draw, "score", "vmaf", "MOS")
    found = []
    for number in range(draw(st.integers(1, 3))):
        frame: Row = {"frame": number, name: draw(SCORES)}
        if once_in(draw, 3):
            frame["elapsed_ms"] = draw(RUNTIMES)
        found.append({"summary": frame} if once_in(draw, 20) else frame)
    return found


def add_beside(draw: st.DrawFn, row: Row, *, explicit: bool) -> None:
    """Add a field that looks like a score and does not count, unless the score's field is set."""
    name = one_of(draw, "vmaf", "Quality")
    if name not in row:
        row[name] = one_of(draw, "n/a", None, *((4.5,) if explicit else ()))


def spoiled(draw: st.DrawFn, row: Row, shape: Shape) -> Row | str:
    """The row with something wrong; a text stands for a line that is no row."""
    wrong: list[Callable[[], Row | str]] = [
        lambda: row | {shape.key or "path": one_of(draw, "", " ", "x/", None, [])},
        lambda: {name: value for name, value in row.items() if name not in (shape.key, "summary")},
        lambda: row | {"score": one_of(draw, *NO_SCORES)},
        lambda: row | {one_of(draw, "quality", "Vmaf", "predicted_vmaf_or_mos"): 1000.5},
        lambda: row | {"summary": {one_of(draw, "vmaf", "MOS"): 1000.5}},
        lambda: row | {"predicted_mos": 1.5, "Quality": 2},
        lambda: row | {"competitor": one_of(draw, "someone else", "!!", " ", 7)},
        lambda: {name: value for name, value in row.items() if name in (shape.key, "status")},
        lambda: row | {"frames": one_of(draw, [{"score": 1}, {}], [{"score": 1, "mos": 2}], 3)},
        lambda: one_of(draw, "{", "[1]", "7", '{"score": 1, "score": 2}', "null"),
    ]
    return one_of(draw, *wrong)()
