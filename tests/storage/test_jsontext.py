"""JSON text in and out."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.storage import jsontext

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=3)


def test_parse_keeps_integers_exact_and_text_as_it_is() -> None:
    """Integers above 2^53 stay exact; text is never re-typed."""
    assert jsontext.parse(b'{"id": 9007199254740993, "code": "0042"}') == {
        "id": 9007199254740993,
        "code": "0042",
    }


def test_parse_takes_nan_as_scorers_write_it() -> None:
    """NaN, which scorers write, is read as a float: whether it is a score is decided for its row."""
    assert math.isnan(jsontext.parse('{"score": NaN}')["score"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' occurs twice in one object"),
        ('[{"in": {"a": 1, "a": 2}}]', "the key 'a' occurs twice"),
        ("{'a': 1}", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        ("", "not JSON: Expecting value"),
        ('{"a": 1} x', "not JSON: Extra data: line 1 column 10"),
        (b'{"a": "\xff"}', r"not UTF-8 text \(byte 7\)"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "^found an integer of too many digits; expected at most 4300$"),
    ],
    ids=["repeated", "repeated inside", "quotes", "empty", "extra", "bytes", "deep", "long number"],
)
def test_parse_refuses(text: str | bytes, reason: str) -> None:
    """Text that is no JSON, or an object that holds a key twice (never last-one-wins), is refused with the reason."""
    with pytest.raises(ValueError, match=reason):
        jsontext.parse(text)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_lenient_parse_refuses_what_json_does_not_know(constant: str) -> None:
    """A manifest is JSON: NaN and Infinity have no place in it."""
    with pytest.raises(ValueError, match=f"found {constant}, which JSON does not know"):
        jsontext.parse_leniently(f'{{"min_coverage": {constant}}}')


def test_lenient_parse_marks_every_repeated_key() -> None:
    """Repeated keys of a manifest can be reported with all its other faults: the object says which they are."""
    found = jsontext.parse_leniently('{"b": 1, "a": 1, "b": 2, "a": 3, "b": 4, "c": 5}')
    assert isinstance(found, jsontext.RepeatingObject)
    assert found.repeated == ("a", "b")
    assert not isinstance(jsontext.parse_leniently('{"a": 1}'), jsontext.RepeatingObject)


@settings(deadline=None)
@given(st.lists(st.tuples(OBJECTS, st.text(" \t\r\n", max_size=3)), max_size=4))
def test_documents_are_read_one_after_another(given_values: list[tuple[dict[str, object], str]]) -> None:
    """Objects may stand one after another, with blanks, line breaks or nothing between them."""
    text = "".join(json.dumps(value) + blanks for value, blanks in given_values)
    assert list(jsontext.documents(text)) == [value for value, _ in given_values]


@pytest.mark.parametrize(
    "text", ['{"a": 1},{"a": 2}', '{"a": 1', '{"a": 1}]'], ids=["comma", "cut", "bracket"]
)
def test_documents_refuse_what_is_between(text: str) -> None:
    """What stands between or after the objects and is no JSON value is refused, not skipped."""
    with pytest.raises(ValueError, match="not JSON"):
        list(jsontext.documents(text))


@settings(deadline=None)
@given(JSON_VALUES)
def test_written_json_is_read_back(value: object) -> None:
    """Both spellings hold the same value, in ASCII; the pretty one ends with a newline."""
    assert jsontext.parse(jsontext.canonical(value)) == value
    assert jsontext.parse(jsontext.pretty(value)) == value
    assert jsontext.pretty(value).isascii()
    assert jsontext.pretty(value).endswith(b"\n")


def test_one_spelling_whatever_the_order() -> None:
    """Equal values have equal bytes, however their keys are ordered."""
    one, other = {"b": [1, "é"], "a": None}, {"a": None, "b": [1, "é"]}
    assert jsontext.canonical(one) == jsontext.canonical(other) == b'{"a":null,"b":[1,"\\u00e9"]}'
    assert jsontext.pretty(one) == jsontext.pretty(other)


def test_nan_is_not_written() -> None:
    """What is written is JSON: a NaN is refused."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        jsontext.pretty({"score": math.nan})


@pytest.mark.parametrize("opened", ["[", '{"a":'], ids=["lists", "objects"])
def test_levels_are_bounded(opened: str) -> None:
    """What is read can be followed by every later step: 200 levels are read, one more is refused."""
    close = "]" if opened == "[" else "}"

    def nested(levels: int) -> str:
        return opened * levels + "1" + close * levels

    assert json.dumps(jsontext.parse(nested(200)), separators=(",", ":")) == nested(200)
    assert len(list(jsontext.documents(nested(200) * 2))) == 2
    for read in (jsontext.parse, jsontext.parse_leniently, lambda text: [*jsontext.documents(text)]):
        with pytest.raises(ValueError, match="nested too deeply; expected at most 200 levels"):
            read(nested(201))


def test_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held at once has a bounded number of values, an object counting thrice, whatever room its text takes."""
    monkeypatch.setattr(jsontext, "MAX_VALUES", 100)
    assert len(jsontext.parse(f"[{','.join('1' * 100)}]")) == 100
    with pytest.raises(
        ValueError, match="found about 101 values; expected at most 100 that are read at once"
    ):
        jsontext.parse(f"[{','.join('1' * 101)}]")
    with pytest.raises(ValueError, match="found about 136 values"):
        list(jsontext.documents("{}," * 34))
