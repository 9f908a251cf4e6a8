"""The dialect of a delimited text: recognised where its first lines leave no doubt, else the usual one."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage import dialect
from pipeline.storage.dialect import Dialect, looks_like_data, recognised

RECOGNISED = {
    "semicolons and decimal commas": ("clip_id;mos\nT1_D01;71,17\nT1_D02;25,83\n", ",", Dialect(";", ",")),
    "semicolons and decimal points": ("clip_id;mos\na;71.17\nb;25.83\n", ",", Dialect(";")),
    "semicolons and texts": ("clip_id;note\na;x, y\nb;z\n", ",", Dialect(";")),
    "semicolons and whole numbers": ("clip_id;n\na;1\nb;2\n", ",", Dialect(";")),
    "three digits between semicolons": ("clip_id;mos\na;3,512\nb;4,100\n", ",", Dialect(";", ",")),
    "two decimals a record": ("clip_id;mos;std\na;71,17;1,5\nb;25,83;0,5\n", ",", Dialect(";", ",")),
    "whole numbers among decimals": ("clip_id;mos\na;71\nb;25,83\n", ",", Dialect(";", ",")),
    "words for none among decimals": ("clip_id;mos\na;NaN\nb;25,83\nc;\n", ",", Dialect(";", ",")),
    "an exponent": ("clip_id;mos\na;1,5e-05\n", ",", Dialect(";", ",")),
    "a tab in a .csv": ("clip_id\tmos\na\t1.5\n", ",", Dialect("\t")),
    "a tab in a .csv and decimal commas": ("clip_id\tmos\na\t71,17\n", ",", Dialect("\t", ",")),
    "a bar": ("clip_id|mos\na|1.5\n", ",", Dialect("|")),
    "a comma in a .tsv": ("clip_id,mos\na,1.5\n", "\t", Dialect(",")),
    "a semicolon in a .tsv": ("clip_id;mos\na;1,5\n", "\t", Dialect(";", ",")),
    "tabs and decimal commas in a .tsv": ("clip_id\tmos\na\t71,17\n", "\t", Dialect("\t", ",")),
    "quoted cells": ('"clip_id";"mos"\n"a";"71,17"\n', ",", Dialect(";", ",")),
    "a quoted cell that holds the delimiter": ('clip_id;note\na;"x;y"\nb;z\n', ",", Dialect(";")),
    "a quoted cell of two lines": ('clip_id;note\na;"x\ny"\nb;z\n', ",", Dialect(";")),
    "a comma in a name": ('clip_id;"mos, mean"\na;71.17\n', ",", Dialect(";")),
    "a comma in each record": ('clip_id;"mos, mean"\na;71,17\n', ",", Dialect(";", ",")),
    "an unquoted comma in a name": ("clip;mos (1,5);std\na;71,17;0,5\n", ",", Dialect(";", ",")),
    "a header alone": ("clip_id;mos\n", ",", Dialect(";")),
    "carriage returns": ("clip_id;mos\r\na;71,17\r\n", ",", Dialect(";", ",")),
    "blank lines": ("clip_id;mos\n\na;71,17\n\n", ",", Dialect(";", ",")),
}
IN_DOUBT = {
    "nothing": ("", ",", Dialect(",")),
    "commas": ("clip_id,mos\na,1.5\n", ",", Dialect(",")),
    "tabs": ("clip_id\tmos\na\t1.5\n", "\t", Dialect("\t")),
    "one column": ("clip_id\na\nb\n", ",", Dialect(",")),
    "one column of texts with semicolons": ("clip_id\na;1\nb;2\n", ",", Dialect(",")),
    "a text with semicolons among commas": ("clip_id,note\na,x;y\nb,z;w\n", ",", Dialect(",")),
    "a name with a semicolon among commas": ("clip_id,mos;std\na,1;2\nb,3;4\n", ",", Dialect(",")),
    "a quoted name with semicolons": ('"clip;id","mos"\na,1\n', ",", Dialect(",")),
    "quoted decimal commas among commas": ('clip_id,mos\na,"71,17"\nb,"25,83"\n', ",", Dialect(",")),
    "semicolons, not as many in each": ("clip_id;note;mos\na;x;1\nb;x;y;2\n", ",", Dialect(",")),
    "commas in a name and in each record": ("clip_id;note, x\na;b, y\n", ",", Dialect(",")),
    "semicolons in a name and in each record": ("k,a;b,c\nx,1;2,3\n", ",", Dialect(",")),
    "two that fit": ("clip_id;x|y\na;1|2\n", ",", Dialect(",")),
    "points and commas": ("clip_id;mos;rate\na;71,17;0.5\n", ",", Dialect(";")),
    "thousands between tabs": ("clip_id\tviews\na\t1,234\nb\t12,345\n", "\t", Dialect("\t")),
    "widths and heights": ("clip_id;size\na;1920,1080\nb;1280,720\n", ",", Dialect(";")),
    "groups of thousands": ("clip_id;views\na;1,234,567\nb;1,5\n", ",", Dialect(";")),
    "a text among decimal commas": ("clip_id;mos\na;71,17\nb;bad\n", ",", Dialect(";")),
}


def lines(text: str) -> list[str]:
    """The lines of a text with their ends, as a file gives them."""
    return list(io.StringIO(text, newline=""))


@pytest.mark.parametrize(("text", "usual", "expected"), RECOGNISED.values(), ids=RECOGNISED.keys())
def test_recognised(text: str, usual: str, expected: Dialect) -> None:
    """A dialect that alone fits the first lines is recognised."""
    assert recognised(lines(text), usual) == expected


@pytest.mark.parametrize(("text", "usual", "expected"), IN_DOUBT.values(), ids=IN_DOUBT.keys())
def test_in_doubt(text: str, usual: str, expected: Dialect) -> None:
    """Where the first lines leave a doubt, the delimiter is the usual one and the decimal mark the point."""
    assert recognised(lines(text), usual) == expected


def test_what_is_set_is_not_recognised() -> None:
    """A delimiter or a decimal mark that is set holds, whatever the lines look like; the other one is recognised."""
    text = lines('clip_id;mos\na;71,17\nb;"25,83"\n')
    assert recognised(text, ",", delimiter="|") == Dialect("|")
    assert recognised(text, ",", decimal=".") == Dialect(";", ".")
    assert recognised(lines('a,b\nx,"1,5"\n'), ",", decimal=",") == Dialect(",", ",")
    assert recognised(lines("a~b\nx~1,5\n"), ",", delimiter="~") == Dialect("~", ",")


def test_a_text_without_a_header() -> None:
    """Where the columns are named elsewhere, the first record counts among the others."""
    assert recognised(["a;71,17\n"], ",", header=False) == Dialect(";", ",")
    assert recognised(["a;71.17\n"], ",", header=False) == Dialect(";")
    assert recognised(["a\t71,17\n"], ",", header=False) == Dialect("\t", ",")
    assert recognised(["a,71\n", "b;c,17\n"], ",", header=False) == Dialect(",")


def test_the_note_names_what_was_recognised() -> None:
    """What is usual or set needs no note."""
    assert dialect.note(Dialect(";", ","), ",") == "delimiter ';' and decimal ',' recognised"
    assert dialect.note(Dialect("\t"), ",") == "delimiter '\\t' recognised"
    assert dialect.note(Dialect("\t", ","), "\t") == "decimal ',' recognised"
    assert dialect.note(Dialect(","), ",") is None
    assert dialect.note(Dialect(";", ","), ",", delimiter=";", decimal=",") is None


def test_a_sample_is_short() -> None:
    """A sample has few lines, and few characters, but two lines at least."""
    assert len(dialect.sample("a,b\n" for _ in range(10_000))) == dialect.MAX_SAMPLE_LINES
    long = "x" * (dialect.MAX_SAMPLE_CHARACTERS + 1)
    assert dialect.sample([long, long, long]) == [long, long]


def test_a_sample_may_end_inside_quotes() -> None:
    """A record that goes on behind the sample says nothing."""
    assert recognised(lines('clip_id;note\na;x\nb;"y\n'), ",") == Dialect(";")


NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
CELLS = st.sampled_from(["", "x", "x y", "1;2", "a|b", "1,5", '"', "\t", "a\nb", "1.5", "7", "1,234"])


@given(
    st.integers(2, 4).flatmap(
        lambda width: st.tuples(
            st.lists(NAMES, min_size=width, max_size=width),
            st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=5),
        )
    ),
    st.sampled_from([(",", "\n"), (",", "\r\n"), ("\t", "\n")]),
)
def test_a_usual_table_is_never_taken_for_another(
    table: tuple[list[str], list[list[str]]], written: tuple[str, str]
) -> None:
    """A well-formed table of the usual delimiter keeps it, whatever its cells hold."""
    assert recognised(written_lines(*table, *written), written[0]).delimiter == written[0]


NUMBERS = st.decimals(-999, 999, places=2).map(str)


@given(
    st.sampled_from([";", "\t", "|"]),
    st.sampled_from(".,"),
    st.lists(st.tuples(NAMES, NUMBERS, NUMBERS), min_size=1, max_size=5),
    st.booleans(),
)
def test_a_table_of_numbers_is_recognised(
    delimiter: str, decimal: str, rows: list[tuple[str, str, str]], quoted: bool
) -> None:
    """A table of names and numbers is read as it was written, quoted or not."""
    records = [[name, *(cell.replace(".", decimal) for cell in numbers)] for name, *numbers in rows]
    text = written_lines(["clip_id", "mos", "std"], records, delimiter, "\n", quoted)
    assert recognised(text, ",") == Dialect(delimiter, decimal)


def written_lines(
    header: list[str], records: list[list[str]], delimiter: str, end: str, quoted: bool = False
) -> list[str]:
    """The lines of a table as csv.writer writes it."""
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerows([header, *records])
    return lines(text.getvalue())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["a.mp4", "3.88"], ["b.mp4", "2.5"]),
        (["a.mp4", "3"], ["b.mp4", "2"]),
        (["b1/747.MP4"], ["b2/748.mp4"]),
        (["T1_D01", "71,17"], ["T1_D02", "25"]),
        (["T1_D01", "71.17"], ["T1_D02", ""]),
        (["T1_D01", "-0.5"], ["T1_D02", "NaN"]),
        (["c0", "1e-05"], ["c1", "2e-05"]),
        (["0a1b2c3d4e5f60718293a4b5c6d7e8f9", "3"], ["ffffffff00000000ffffffff00000000", "2"]),
        (["123e4567-e89b-12d3-a456-426614174000", "3"], ["223e4567-e89b-12d3-a456-426614174000", "3"]),
        (["a.mp4", "3.88"], None),
    ],
)
def test_data(first: list[str], second: list[str] | None) -> None:
    """Fractions, media files and hashes are data, if the second line holds the like."""
    assert looks_like_data(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["clip_id", "mos"], ["a.mp4", "3.88"]),
        (["clip_id", "0", "1", "2"], ["a.mp4", "0.5", "0.25", "1"]),
        (["clip_id", "360", "720", "1080"], ["a", "1", "2", "3"]),
        (["", "mos"], ["0", "1.5"]),
        (["path", "overall/final score", "vmaf.mean", "mos.1"], ["a.mp4", "1.5", "2.5", "1.5"]),
        (["clip", "a.mp4", "b.mp4"], ["0", "1.5", "2.5"]),
        (["clip", "nan"], ["a", "nan"]),
        (["deadbeef"], ["cafe"]),
        (["a.mp4", "3.88"], ["b.mp4"]),
        ([], []),
        ([], None),
        (["clip17", "3"], ["clip18", "4"]),
    ],
)
def test_headers(first: list[str], second: list[str] | None) -> None:
    """Words, whole numbers and names with dots or slashes may name columns."""
    assert not looks_like_data(first, second)


def test_the_message_for_data_names_what_to_write() -> None:
    """The entry in the message can be copied: it names as many columns as the line has, or says that there are more."""
    message = dialect.no_header('uv"q.csv', ["a.mp4", "3.88", "2"], "score")
    assert "found 'a.mp4', '3.88', '2'" in message
    assert message.endswith('{"path": "uv\\"q.csv", "columns": ["path", "score", "score_3"]}')
    assert dialect.no_header("f.csv", list("abcde"), "x").endswith(
        '"columns": ["clip_id", "clip_id_2", "clip_id_3", "clip_id_4", ...]}'
    )


@pytest.mark.parametrize(
    ("header", "used", "expected"),
    [
        (["clip_id;mos"], ",", "; the header seems to have the delimiter ';': set delimiter if it is so"),
        (["clip\tmos"], ",", "; the header seems to have the delimiter '\\t': set delimiter if it is so"),
        (["clip,mos"], "\t", "; the header seems to have the delimiter ',': set delimiter if it is so"),
        (["clip_id", "mos"], ",", ""),
        ([], ",", ""),
    ],
)
def test_the_advice_names_the_delimiter_that_the_header_seems_to_have(
    header: list[str], used: str, expected: str
) -> None:
    """A header whose names hold another delimiter may have that one."""
    assert dialect.delimiter_advice(header, used) == expected


def test_a_header_with_a_whole_number_may_be_none() -> None:
    """Whole numbers name columns, and are data of labels: the advice leaves it open."""
    assert dialect.columns_advice(["clip17", "3"]).startswith("; if the first line is data, set columns")
    assert dialect.columns_advice(["", "mos"]) == ""


def test_columns_are_named_for_a_file_with_a_header() -> None:
    """A first line that repeats a name in its own column is a header."""
    assert dialect.repeats_names(["Path ", "value"], ["path", "score"])
    assert not dialect.repeats_names(["a.mp4", "path"], ["path", "score"])
    assert not dialect.repeats_names(["a.mp4"], ["path", "score"])


def test_a_number_with_a_decimal_comma() -> None:
    """A number has a point instead of its comma; one with a point is no number there."""
    european = Dialect(";", ",")
    assert european.with_point("71,17") == "71.17"
    assert european.with_point("1.234") == "1,234"
    assert Dialect(";").with_point("71,17") == "71,17"
    assert dialect.has_decimal_comma("71,17")
    assert not dialect.has_decimal_comma("71.17")


def test_a_delimiter_is_one_sign() -> None:
    """Signs that numbers, names or quotes are written with cannot be told from the cells."""
    for sound in (None, ",", ";", "\t", "|", " ", ":", "~", "^"):
        assert not list(dialect.setting_faults(sound, ()))
    for faulty in ("", ";;", "\\t", "a", "7", '"', "-", ".", "\n", "é", "\x00"):
        assert next(dialect.setting_faults(faulty, ())).startswith(".delimiter: found ")


def test_names_of_columns_are_unique() -> None:
    """Two columns of one name could be taken for each other."""
    assert list(dialect.setting_faults(None, ("a", "b", "a"))) == [
        ".columns: 'a' occurs twice; expected unique names"
    ]
