"""A table of JSON Lines is the same, byte for byte, whether rows that are spelled alike are read at once or one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BatchError
from pipeline.join.tables.json import alike as json_alike
from pipeline.join.tables.json import pieces, table
from tests.support.builders import join_features, write_text

VALUES = st.one_of(
    st.sampled_from(['"a"', '"é"', '"1"', '""', "null", "true", "[1]", '{"b":1}', '"\\n"', "1e999", "NaN"]),
    st.sampled_from(["0", "-0", "7", "-0.0", "0.5", "3.0", "1e-05", "5E3", "1e16"]),
    st.sampled_from(["9007199254740993", "9223372036854775808", "-9223372036854775809"]),
)
ALIKE = [
    ["0.5", "-1.25", "1e-05"],
    ["1", "20", "-3"],
    ["1", "0.5"],
    ['"a"', '"b"'],
    ["null", "0.5"],
    ["null"],
]
NAMES = ["clip_id", "x", "y"]


@st.composite
def rows(draw: st.DrawFn) -> str:
    """Lines: some that are spelled alike, some that are anyhow."""
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = [draw(st.sampled_from(ALIKE)) for _ in NAMES]
        for _ in range(draw(st.integers(0, 4))):
            values = [draw(st.sampled_from(kind)) for kind in kinds]
            if draw(st.integers(0, 9)) == 0:
                values[draw(st.integers(0, 2))] = draw(VALUES)
            lines.append(
                "{" + ",".join(f'"{name}":{value}' for name, value in zip(NAMES, values, strict=True)) + "}"
            )
        lines += draw(st.lists(st.sampled_from(["", "{}", '{"clip_id":"c"}', '{"z":1}']), max_size=1))
    return "\n".join(lines)


def ways() -> Iterator[pytest.MonkeyPatch]:
    """One by one; at once; at once without holding."""
    for alike, held in ((False, 0), (True, 0), (True, 1 << 20)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(table, "MAX_HELD_ROWS_BYTES", held)
            patch.setattr(json_alike, "MIN_LINES", 0)
            if not alike:
                patch.setattr(pieces, "read_alike", lambda _content, _lines: None)
            yield patch


def said(features: Path, out: str) -> bytes | str:
    """The joined table, or what is wrong with it."""
    try:
        return join_features(features, out).read_bytes()
    except BatchError as exc:
        return str(exc)


@settings(max_examples=150, deadline=None)
@given(
    content=rows(),
    block=st.sampled_from([20, 100, 1 << 20]),
    out=st.sampled_from(["o.parquet", "o.csv", "o.jsonl"]),
)
def test_fast_path_changes_nothing(content: str, block: int, out: str) -> None:
    """Values, their types, the order of columns and the faults are the same."""
    with TemporaryDirectory() as folder:
        features = write_text(Path(folder) / "f.jsonl", content)
        found = []
        for patch in ways():
            patch.setattr(table, "_PIECE_BYTES", block)
            found.append(said(features, out))
        assert found[1:] == found[:1] * 2
