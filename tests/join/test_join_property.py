"""The join against a slow and obvious one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BatchError
from pipeline.manifest.options import KeyNormalize, MissingPolicy
from tests.support.builders import joined
from tests.support.examples import EXAMPLES
from tests.support.oracle.sharing import closeness

Row = dict[str, Any]

FORMS: dict[object, tuple[str | None, str | None, str | None]] = {
    None: (None, None, None),
    " ": (None, None, None),
    "a": ("a", "a", "a"),
    " a ": ("a", "a", "a"),
    "x/a": ("x/a", "a", "a"),
    "x/a.mp4": ("x/a.mp4", "a.mp4", "a"),
    "y/a.mp4": ("y/a.mp4", "a.mp4", "a"),
    "b.7z": ("b.7z", "b.7z", "b"),
    "x/b": ("x/b", "b", "b"),
    "x/": ("x/", None, None),
    "t_20.0": ("t_20.0", "t_20.0", "t_20.0"),
    7: ("7", "7", "7"),
    "7": ("7", "7", "7"),
}
"""Some keys and what each is when whole, as a basename and as a stem; None: no key."""

SCORE_KEYS = [key for key, (whole, _, _) in FORMS.items() if whole is not None]


@dataclass
class Case:
    """One table, its sidecars by label, and how they are joined."""

    column: str
    field: str
    features: list[object]
    scores: dict[str, list[Row]]
    key_normalize: KeyNormalize
    missing_policy: MissingPolicy
    min_coverage: float


class RefusedError(Exception):
    """The join is refused; the text is part of the reason."""


def form(key: object, name: str, normalize: KeyNormalize) -> str | None:
    """A key as it is compared."""
    if normalize == "auto":
        normalize = "basename" if name == "path" else "raw"
    return FORMS[key][("raw", "basename", "stem").index(normalize)]


def slow_join(case: Case) -> list[Row]:
    """The joined rows by nested loops and dictionaries, straight from the rules."""
    lookups: dict[str, dict[str, Row]] = {}
    for label in sorted(case.scores):
        forms = [form(row[case.field], case.field, case.key_normalize) for row in case.scores[label]]
        if None in forms:
            raise RefusedError("faulty row.* in the sidecar")
        lookups[label] = dict(zip([str(each) for each in forms], case.scores[label], strict=True))
    for label, lookup in lookups.items():
        if len(lookup) < len(case.scores[label]):
            raise RefusedError("expected one row per clip")
    if any(is_given_away(case, key, row) for lookup in lookups.values() for key, row in lookup.items()):
        raise RefusedError("rows would get the scores of other clips")
    rows = []
    for number, key in enumerate(case.features):
        row: Row = {case.column: key, "row": number}
        wanted = form(key, case.column, case.key_normalize)
        for label, lookup in lookups.items():
            found = None if wanted is None else lookup.get(wanted)
            row |= five_columns(label, found)
        rows.append(row)
    for label in lookups:
        check(case, sum(row[f"second_opinion_{label}_status"] != "missing" for row in rows))
    if case.missing_policy == "drop":
        rows = [row for row in rows if "missing" not in row.values()]
    return rows


def is_given_away(case: Case, wanted: str, row: Row) -> bool:
    """Whether a score belongs to some of the rows only that find it."""
    found = {
        str(key).strip() for key in case.features if form(key, case.column, case.key_normalize) == wanted
    }
    return len({closeness(key, str(row[case.field]).strip()) for key in found}) > 1


def five_columns(label: str, found: Row | None) -> Row:
    """What a row receives from a scorer."""
    status: Literal["ok", "bad", "missing"] = "missing"
    if found is not None:
        status = "bad" if found["status"] == "failed" else "ok"
    return {
        f"second_opinion_{label}_score": None if found is None else found["score"],
        f"second_opinion_{label}_status": status,
        f"second_opinion_{label}_runtime_ms": None if found is None else found["runtime_ms"],
        f"second_opinion_{label}_frames": 0,
        f"second_opinion_{label}_source": "" if found is None else f"{label}.jsonl",
    }


def check(case: Case, matched: int) -> None:
    """Refuse what a scorer that matches so many rows makes of the table."""
    if case.features and matched == 0:
        raise RefusedError("no row matched")
    if matched < case.min_coverage * len(case.features):
        raise RefusedError("expected a share of at least")
    if matched < len(case.features) and case.missing_policy == "fail":
        raise RefusedError("expected a score for every row")


def score_rows(field: str, keys: list[object]) -> st.SearchStrategy[Row]:
    """A row of a scorer, with a score or failed without one."""
    key, number = st.sampled_from(keys), st.floats(-1e6, 1e6)
    scored = {"score": number, "status": st.sampled_from(["ok", "failed"]), "runtime_ms": st.none() | number}
    unscored = {"score": st.none(), "status": st.just("failed"), "runtime_ms": st.none()}
    return st.fixed_dictionaries({field: key} | scored) | st.fixed_dictionaries({field: key} | unscored)


def sidecars(field: str) -> st.SearchStrategy[list[Row]]:
    """Rows of a scorer, mostly for different clips, so that not too many cases are refused."""
    with_stem = [key for key in SCORE_KEYS if FORMS[key][2] is not None]
    different = st.lists(
        score_rows(field, with_stem), min_size=2, max_size=4, unique_by=lambda row: FORMS[row[field]][2]
    )
    return different | st.lists(score_rows(field, SCORE_KEYS), max_size=3)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Tables whose keys come from few, so that many meet."""
    names = st.sampled_from(["clip_id", "path"])
    field = draw(names)
    return Case(
        column=draw(names),
        field=field,
        features=draw(st.lists(st.sampled_from(list(FORMS)), min_size=3, max_size=12)),
        scores=draw(st.dictionaries(st.sampled_from(["dover", "musiq"]), sidecars(field), min_size=1)),
        key_normalize=draw(st.sampled_from(["auto", "raw", "basename", "stem"])),
        missing_policy=draw(st.sampled_from(["mark", "mark", "drop", "fail"])),
        min_coverage=draw(st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0])),
    )


def fast_join(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Row]:
    """The joined rows as the project makes them."""
    return joined(
        tmp_path_factory.mktemp("case"),
        [{case.column: key, "row": number} for number, key in enumerate(case.features)],
        case.scores,
        key_normalize=case.key_normalize,
        missing_policy=case.missing_policy,
        min_coverage=case.min_coverage,
    )


@settings(deadline=None, max_examples=EXAMPLES)
@given(case=cases())
def test_join_is_the_obvious_one(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    """The join gives, or refuses, what loops and dictionaries written from the rules do."""
    try:
        expected = slow_join(case)
    except RefusedError as refused:
        with pytest.raises(BatchError, match=str(refused)):
            fast_join(case, tmp_path_factory)
    else:
        assert fast_join(case, tmp_path_factory) == expected
