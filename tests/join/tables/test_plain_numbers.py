"""Cells that are read as numbers at once are what the patterns of the census take for numbers, and have their values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.join.tables.delimited.census import ColumnCensus
from pipeline.join.tables.delimited.numbers import LARGE, Numbers, numbers_among, plain_numbers
from pipeline.storage.dialect import WORDS_FOR_NONE

NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-][0-9]+)?")
NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["0", "-0", "0.5", "-0.0", ".5", "-.5", "5.", "1e-07", "0e+1", "1E+20", "999999999999999"]
    ),
)
LIKE_NUMBERS = st.text("0123456789.eE+-, xn_", max_size=7)
WORDS = st.sampled_from([*WORDS_FOR_NONE, "inf", "-inf", "NAN", "n/a", "\u0661", "0x10"])
COLUMNS = st.lists(
    st.one_of(
        st.lists(NUMBERS, min_size=1, max_size=6),
        st.lists(st.one_of(NUMBERS, st.sampled_from(WORDS_FOR_NONE)), min_size=1, max_size=6),
        st.lists(st.one_of(NUMBERS, LIKE_NUMBERS, WORDS), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def texts(cells: Sequence[str]) -> pa.Array:
    """Cells as a batch has them; behind others, as in a slice."""
    return pa.array(["7.5", *cells], pa.string()).slice(1)


@given(st.lists(st.one_of(NUMBERS, LIKE_NUMBERS, WORDS), max_size=6), st.sampled_from([".", ","]))
@example(["1", "0"], ".")
@example(["1e", "-5"], ".")
@example(["1.", ".5"], ".")
@example(["-", "5"], ".")
@example(["", "None", "2"], ".")
@example(["1,5", "2.5"], ",")
@example(["0", "e+5"], ".")
def test_what_is_read_at_once_is_plain(cells: list[str], decimal: str) -> None:
    """Each cell is a number with its value, empty or a word for none; the type is int64 if all numbers are integers."""
    read = plain_numbers(texts(cells), decimal)
    if read is None:
        return
    expected = []
    for cell in cells:
        spelled = cell if decimal == "." else cell.replace(".", "x").replace(",", ".")
        assert cell in WORDS_FOR_NONE or NUMBER.fullmatch(spelled), cell
        expected.append(None if cell in WORDS_FOR_NONE else float(spelled))
    assert [None if value is None else float(value) for value in read.values.to_pylist()] == expected
    negative_zeros = [str(value) for value in expected if value == 0]
    assert [str(float(value)) for value in read.values.to_pylist() if value == 0] == negative_zeros
    assert read.words == any(cell in WORDS_FOR_NONE and cell for cell in cells)
    told = read.texts()
    assert told is None or told.to_pylist() == cells


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0.25", "-3", "1e-07", "5.", ".5", "-.5"], pa.float64()),
        (["0", "-7", "999999999999999"], pa.int64()),
        (["0.25", "", "NaN"], pa.float64()),
        (["", "12", "NA"], pa.int64()),
    ],
)
def test_what_programs_write_is_read_at_once(cells: list[str], kind: pa.DataType) -> None:
    """Numbers are not left to the patterns, which take five times as long."""
    read = plain_numbers(texts(cells), ".")
    assert read is not None
    assert read.values.type == kind


@given(COLUMNS, st.sampled_from([".", ","]))
@example([["1"], ["0042"]], ".")
@example([["1"], ["1.5"], ["-0"]], ".")
@example([["9007199254740993"], ["0.5"]], ".")
@example([["18446744073709551615"], ["7"]], ".")
@example([["NaN"], ["nan"], ["x"]], ".")
@example([["1", ""], ["x"]], ".")
def test_pieces_read_at_once_change_nothing(column: list[list[str]], decimal: str) -> None:
    """The type of a column, its note and its values are those of a census of texts alone."""
    at_once, alone = ColumnCensus(decimal), ColumnCensus(decimal)
    pieces = [plain_numbers(texts(cells), decimal) or texts(cells) for cells in column]
    for piece, cells in zip(pieces, column, strict=True):
        at_once.look_at(piece)
        alone.look_at(texts(cells))
    assert at_once.type.type == alone.type.type
    assert at_once.note("x") == alone.note("x")
    for piece, cells in zip(pieces, column, strict=True):
        typed = at_once.type.typed_cells(piece)
        assert typed is None or typed.equals(alone.type.typed(texts(cells)))
        assert typed is not None or at_once.type.type == pa.string()


@given(
    st.integers(0, 5).flatmap(
        lambda rows: st.lists(st.lists(st.one_of(NUMBERS, WORDS), min_size=rows, max_size=rows))
    )
)
@example([["1", "2"], ["3", "x"], ["0.5", ""], ["0.25", "NaN"], ["-1", "7"], ["0.5", "7"]])
@example([["1", "2"], ["3", "0.5"]])
def test_columns_together(columns: list[list[str]]) -> None:
    """Columns that are read together have the values and the types that each has by itself."""
    arrays = [texts(cells) for cells in columns]
    for together, cells in zip(numbers_among(arrays, "."), arrays, strict=True):
        alone = plain_numbers(cells, ".")
        if alone is None:
            assert together is cells
        else:
            assert isinstance(together, Numbers)
            assert together.values.equals(alone.values)
            assert together.words or not alone.words


def test_every_size_of_number() -> None:
    """Numbers around `LARGE` are read at once only below it, whatever their sign."""
    for number in (LARGE - 1, 1 - LARGE, LARGE, -LARGE, -(2.0**63)):
        assert (plain_numbers(texts([str(int(number))]), ".") is None) == (abs(number) >= LARGE)
        assert (plain_numbers(texts([f"{number:.1f}"]), ".") is None) == (abs(number) >= LARGE)


def test_random_floats_keep_their_bits() -> None:
    """What is read at once has the bits that Python reads."""
    drawn = np.random.default_rng(0).normal(size=10_000) * 10.0 ** (np.arange(10_000) % 14)
    read = plain_numbers(texts([repr(float(each)) for each in drawn]), ".")
    assert read is not None
    assert read.values.to_numpy().tobytes() == drawn.tobytes()
