"""Which column is the key, what its text is, and how it is normalised."""

from __future__ import annotations

import string
import unicodedata
from decimal import Decimal
from typing import get_args

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.join import keys
from pipeline.join.keys import KeyRule
from pipeline.manifest import regexes
from pipeline.manifest.options import KeyNormalize

LETTERS_OR_DIGITS = frozenset(string.ascii_letters + string.digits)
# Blanks are left to the cases below: only ` ` and line breaks stand for them here.
PATH_LIKE = st.text(
    st.sampled_from("ab7./_ \n264é")
    | st.characters(codec="utf-8", exclude_categories=["Zs", "Zl", "Zp", "Cc"]),
    max_size=24,
)


def normalized(
    key: str | None, mode: KeyNormalize, regex: str | None = None, name: str = "clip_id"
) -> str | None:
    """One key under the rule of its side."""
    found = KeyRule.of(mode, name, regex).apply(pa.array([key], pa.string()))
    value: str | None = found[0].as_py()
    return value


def basename_by_the_spec(key: str) -> str:
    """The part after the last `/`, in NFC."""
    return unicodedata.normalize("NFC", key.strip(" \n")).rpartition("/")[2]


def stem_by_the_spec(key: str) -> str:
    """The basename without a last dot and 1 to 5 letters or digits, one of them a letter, or 264, 265, 266."""
    name = basename_by_the_spec(key)
    rest, dot, ending = name.rpartition(".")
    plain = 1 <= len(ending) <= 5 and LETTERS_OR_DIGITS.issuperset(ending) and not ending.isdigit()
    return rest if dot and (plain or ending in ("264", "265", "266")) else name


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["path", "video_id", "clip_id"], "clip_id"),
        (["dis_path", "distorted_path", "name"], "name"),
        (["CHUG_Video_ID", "Path"], "CHUG_Video_ID"),
        (["Clip_ID", "clip_id"], "clip_id"),
        (["id", "clip", "video"], None),
        ([], None),
    ],
    ids=["best first", "not by position", "letter case", "exact name first", "no candidate", "no column"],
)
def test_key_candidate(columns: list[str], expected: str | None) -> None:
    """The key is the first candidate of the list that is there, whatever its place or letter case."""
    assert keys.pick(columns) == expected


def test_key_candidates_in_order() -> None:
    """Of the candidates, each is taken only where no better one is there."""
    order = [
        "clip_id",
        "video_id",
        "chug_video_id",
        "content_id",
        "file_name",
        "filename",
        "basename",
        "name",
        "distorted_path",
        "dis_path",
        "path",
    ]
    assert [keys.pick(order[start:][::-1]) for start in range(len(order))] == order


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0042", "0042"),
        ("1.0", "1.0"),
        (747, "747"),
        (2**70, str(2**70)),
        (747.0, "747"),
        (-0.0, "0"),
        (1e22, "10000000000000000000000"),
        (7.5, "7.5"),
        (1e-7, "1e-07"),
        (Decimal("3.00"), "3"),
        (Decimal("1.50"), "1.50"),
        (True, "true"),
        (None, None),
        (float("nan"), None),
        ([1], None),
        ({"a": 1}, None),
    ],
    ids=repr,
)
def test_text_of_a_key(value: object, expected: str | None) -> None:
    """An integer is its digits, an integral float its integer's digits, another value its plain text; text stays."""
    assert keys.text(value) == expected


@settings(deadline=None)
@given(
    st.lists(st.none() | st.text())
    | st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))
    | st.lists(st.none() | st.floats())
    | st.lists(st.none() | st.booleans())
    | st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=3, max_value=10**9))
)
@example([1e-7, 1e16, 5e-324, 2.0**60, float("inf"), float("nan"), -0.0])
def test_both_sides_have_the_same_text(values: list[object]) -> None:
    """A value's key text is the same in a typed column of a feature table as in a row of a sidecar."""
    column = pa.array(values)
    assert keys.texts(column).to_pylist() == [keys.text(value) for value in column.to_pylist()]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array([1.0, None]).dictionary_encode(), ["1", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1.0, 0.5], pa.float16()), ["1", "0.5"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array([None, None]), [None, None]),
    ],
    ids=["categories", "float categories", "uint64", "float16", "large text", "only nulls"],
)
def test_text_of_other_column_types(column: pa.Array, expected: list[str | None]) -> None:
    """Every scalar column type gives key texts, so that the type a writer chose does not decide what matches."""
    assert keys.texts(column).to_pylist() == expected


@pytest.mark.parametrize(
    ("key", "raw", "basename", "stem"),
    [
        ("  clip 1\t", "clip 1", "clip 1", "clip 1"),
        ("a/b/c.mp4", "a/b/c.mp4", "c.mp4", "c"),
        ("a\\b.mp4", "a\\b.mp4", "a\\b.mp4", "a\\b"),
        ("c.tar.gz", "c.tar.gz", "c.tar.gz", "c.tar"),
        ("C.MP4", "C.MP4", "C.MP4", "C"),
        ("c.7z", "c.7z", "c.7z", "c"),
        ("c.m2ts", "c.m2ts", "c.m2ts", "c"),
        ("c.1234b", "c.1234b", "c.1234b", "c"),
        ("c.264", "c.264", "c.264", "c"),
        ("c.265", "c.265", "c.265", "c"),
        ("c.266", "c.266", "c.266", "c"),
        ("c.263", "c.263", "c.263", "c.263"),
        ("t_20.0", "t_20.0", "t_20.0", "t_20.0"),
        ("c.720", "c.720", "c.720", "c.720"),
        ("c.abcdef", "c.abcdef", "c.abcdef", "c.abcdef"),
        ("c.m_4", "c.m_4", "c.m_4", "c.m_4"),
        ("c.", "c.", "c.", "c."),
        ("v1.2/clip", "v1.2/clip", "clip", "clip"),
        ("a/", "a/", None, None),
        (".mp4", ".mp4", ".mp4", None),
        ("   ", None, None, None),
        (None, None, None, None),
    ],
    ids=repr,
)
def test_normalisation(key: str | None, raw: str | None, basename: str | None, stem: str | None) -> None:
    """Trimmed; whole (raw), after the last `/` (basename), without its extension (stem). An empty key is none."""
    assert [normalized(key, mode) for mode in ("raw", "basename", "stem")] == [raw, basename, stem]


@settings(deadline=None, max_examples=500)
@given(PATH_LIKE)
def test_basename_and_stem_of_any_text(key: str) -> None:
    """On any text, basename and stem are what the rules say when spelled out plainly."""
    assert normalized(key, "basename") == (basename_by_the_spec(key) or None)
    assert normalized(key, "stem") == (stem_by_the_spec(key) or None)


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=12))
@example("Ame\u0301lie/e\u0301.mp4")
def test_keys_that_look_the_same_are_the_same(key: str) -> None:
    """An accented letter is one key under every rule, whether it is written as one character or as two."""
    for mode in get_args(KeyNormalize):
        spelled = {normalized(unicodedata.normalize(form, key), mode) for form in ("NFC", "NFD")}
        assert spelled == {normalized(key, mode)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clip_id", "a/c.mp4"),
        ("content", "a/c.mp4"),
        ("dis_path", "c.mp4"),
        ("pooled.File", "c.mp4"),
        ("basename", "c.mp4"),
        ("NAME", "c.mp4"),
    ],
)
def test_auto_goes_by_the_name(name: str, expected: str) -> None:
    """`auto` is basename where the column or field name contains path, file or name, else raw."""
    assert normalized("a/c.mp4", "auto", name=name) == expected


@pytest.mark.parametrize(
    ("key", "regex", "mode", "expected"),
    [
        ("a/0012_48.mp4", r"^(\d+)_", "stem", "0012"),
        ("a/0012_48.mp4", r"^(\d+)_", "raw", None),
        ("x-12-34", r"(\d+)", "raw", "12"),
        ("x-12", r"x-(?:\d)(\d)", "raw", "2"),
        ("ab", r"(b)|a", "raw", None),
        ("a\nb", r"(b)$", "raw", "b"),
        ("CLIP7", r"(?i)clip(\d)", "raw", "7"),
        (None, r"(.*)", "raw", None),
    ],
    ids=[
        "after stem",
        "no match",
        "first match",
        "other groups",
        "group not in the match",
        "lines",
        "flags",
        "null",
    ],
)
def test_key_regex(key: str | None, regex: str, mode: KeyNormalize, expected: str | None) -> None:
    """A key regex is applied to the normalised key; its one group is the key; no match is no key."""
    assert normalized(key, mode, regex) == expected


@pytest.mark.parametrize("pattern", [r"(\d+)", r"(?:a|b)-(.*)", r"(?P<clip>x)", r"a|(b)", "(é)"])
def test_sound_regex(pattern: str) -> None:
    """A key regex is RE2 syntax with exactly one group."""
    assert regexes.regex_fault(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"\d+", "it has no group"),
        (r"(\d+)_(\d+)", "it has more than one group"),
        (r"(\d+", "missing )"),
        (r"(a)(?=b)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a)(b", "unexpected )"),
    ],
)
def test_unsound_regex(pattern: str, reason: str) -> None:
    """A regex without one group, or with what RE2 does not know (look-ahead, back-reference), is said to be so."""
    fault = regexes.regex_fault(pattern)
    assert fault is not None
    assert reason in fault
    assert "expected" in fault
