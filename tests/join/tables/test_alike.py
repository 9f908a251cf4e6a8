"""Rows that are spelled alike are read as the JSON reader reads them; all others are left to it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.json as pajson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.join.tables.json import alike
from pipeline.join.tables.json.alike import read_alike


@pytest.fixture(autouse=True, scope="module")
def few_lines_are_enough() -> Iterator[None]:
    """Any number of lines is read at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike, "MIN_LINES", 0)
        yield


SPACES = st.sampled_from(["", " ", "  "])
TEXTS = st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cc", "Cs"]), max_size=8)
NAMES = TEXTS.filter(bool)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(repr)
NUMBERS = {
    "integers": st.integers(-(2**62), 2**62).map(str),
    "floats": FLOATS,
    "both": FLOATS | st.integers(-(10**14), 10**14).map(str),
    "exponents": st.sampled_from(["1e5", "2E-3", "-4.5e+01", "0e0", "0.0", "0", "-0.0"]),
    "nulls": st.just("null"),
    "some nulls": FLOATS | st.just("null"),
}


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """Rows that are spelled alike, with a line feed after each but perhaps the last."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    values = [draw(st.sampled_from([*NUMBERS.values(), TEXTS.map('"{}"'.format)])) for _ in names]
    spaces = [[draw(SPACES) for _ in range(4)] for _ in names]
    opening, closing = draw(SPACES), draw(SPACES)
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        fields = ",".join(
            f'{a}"{name}"{b}:{c}{draw(value)}{d}'
            for name, value, (a, b, c, d) in zip(names, values, spaces, strict=True)
        )
        rows.append(f"{{{opening}{fields}}}{closing}")
    return "\n".join(rows) + draw(st.sampled_from(["", "\n"]))


def is_a_time(text: object) -> bool:
    """Whether Arrow's JSON reader takes a text for a time."""
    return isinstance(text, str) and text[:1].isdigit()


@given(content=blocks())
def test_alike_rows_are_what_json_says(content: str) -> None:
    """Every row that is spelled like the first has the values that the JSON reader gives it, in its types."""
    lines = content.rstrip("\n").split("\n")
    rows = [json.loads(line) for line in lines]
    assume(not any(map(is_a_time, (value for row in rows for value in row.values()))))
    found = read_alike(content.encode(), len(lines))
    assert found is not None
    said = pajson.read_json(io.BytesIO(content.encode())).combine_chunks()
    assert pa.table(found.rows).equals(said)
    kinds = [{type(row[name]) for row in rows} - {type(None)} for name in rows[0]]
    assert found.has_both == ({int, float} in kinds)


@given(
    content=blocks(),
    place=st.integers(0, 400),
    length=st.integers(0, 2),
    text=st.text("{}\"':,.01-+eE \t\\\n[]xn"),
)
def test_no_typing_error_is_overlooked(content: str, place: int, length: int, text: str) -> None:
    """A block with a change anywhere is left to the JSON reader, or is what Python's reader says of each line."""
    place = min(place, len(content))
    content = content[:place] + text + content[place + length :]
    lines = content.removesuffix("\n").split("\n")
    found = read_alike(content.encode(), len(lines))
    if found is not None:
        said = [json.loads(line, parse_int=float) for line in lines]
        assert json.loads(json.dumps(found.rows.to_pylist()), parse_int=float) == said


LIKE = '{"clip_id": "a", "score": 0.5}\n'
ODD = {
    "another name": '{"clip_ID": "a", "score": 0.5}',
    "another order": '{"score": 0.5, "clip_id": "a"}',
    "a field more": '{"clip_id": "a", "score": 0.5, "x": 1}',
    "a field less": '{"clip_id": "a"}',
    "a number for a text": '{"clip_id": 1, "score": 0.5}',
    "a text for a number": '{"clip_id": "a", "score": "0.5"}',
    "true for a number": '{"clip_id": "a", "score": true}',
    "a list": '{"clip_id": "a", "score": [0.5]}',
    "two numbers": '{"clip_id": "a", "score": 0.5 0.5}',
    "no number": '{"clip_id": "a", "score": }',
    "a minus": '{"clip_id": "a", "score": -}',
    "a plus": '{"clip_id": "a", "score": +0.5}',
    "a dot first": '{"clip_id": "a", "score": .5}',
    "a dot last": '{"clip_id": "a", "score": 5.}',
    "a dot before an exponent": '{"clip_id": "a", "score": 5.e1}',
    "a zero first": '{"clip_id": "a", "score": 05}',
    "hexadecimal": '{"clip_id": "a", "score": 0x5}',
    "infinity": '{"clip_id": "a", "score": inf}',
    "not a number": '{"clip_id": "a", "score": nan}',
    "no exponent": '{"clip_id": "a", "score": 5e}',
    "other spaces": '{"clip_id":  "a", "score": 0.5}',
    "spaces before a number": '{"clip_id": "a", "score":  0.5}',
    "a tab": '{"clip_id": "a",\t"score": 0.5}',
    "a tab in a text": '{"clip_id": "a\tb", "score": 0.5}',
    "an escape": '{"clip_id": "a\\n", "score": 0.5}',
    "a carriage return": '{"clip_id": "a", "score": 0.5}\r',
    "something behind it": '{"clip_id": "a", "score": 0.5}}',
    "something before it": '1{"clip_id": "a", "score": 0.5}',
    "no end": '{"clip_id": "a", "score": 0.5',
    "nothing": "",
    "spaces": " ",
}


@pytest.mark.parametrize("row", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("place", range(3))
def test_other_rows_are_left(row: str, place: int) -> None:
    """A block with a row that is spelled otherwise is left to the JSON reader, wherever the row is."""
    rows = [LIKE, LIKE]
    rows.insert(place, row + "\n")
    assert read_alike("".join(rows).encode(), 3) is None


ALIKE_BUT_ODD = {
    "a name twice": '{"a": 1, "a": 2}',
    "a name that is empty": '{"": 1}',
    "nested": '{"a": {"b": 1}}',
    "in a list": '[{"a": 1}]',
    "true": '{"a": true}',
    "no field": "{}",
    "a comma at the end": '{"a": 1, }',
    "a float beyond 64 bits": '{"a": 1.5e999}',
    "a number beyond 64 bits": '{"a": 9223372036854775808}',
    "a byte order mark": '\ufeff{"a": 1}',
}


@pytest.mark.parametrize("integer", ["-0", "9007199254740993", "-9007199254740993"])
def test_integers_that_no_float_holds(integer: str) -> None:
    """Integers among floats are left to the JSON reader if a float is not the same number."""
    rows = f'{{"a": 0.5}}\n{{"a": {integer}}}\n'
    assert read_alike(rows.encode(), 2) is None


@pytest.mark.parametrize("row", ALIKE_BUT_ODD.values(), ids=ALIKE_BUT_ODD.keys())
def test_what_is_not_plain_is_left(row: str) -> None:
    """Rows that are all alike, and not plain, are left to the JSON reader."""
    assert read_alike(f"{row}\n{row}\n".encode(), 2) is None


def test_few_lines_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns of a few values take longer than those values one by one."""
    monkeypatch.setattr(alike, "MIN_LINES", 3)
    assert [read_alike(LIKE.encode() * lines, lines) is None for lines in (2, 3)] == [True, False]
