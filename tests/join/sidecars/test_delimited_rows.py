"""Delimited sidecars: their delimiter, their decimal mark, and files without a header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SidecarError
from pipeline.join.sidecars.read import read_sidecar
from pipeline.join.sidecars.record import Scores
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions


def scores_of(folder: Path, text: str | bytes, name: str = "s.csv", **entry: Any) -> Scores:
    """The scores of a sidecar of that text, which are those of one scorer under one key field."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    given = {"path": name, "label": "dover", **entry}
    (scores,) = read_sidecar(SidecarEntry.of(given, folder), folder, JoinOptions())
    return scores


def read(folder: Path, text: str | bytes, name: str = "s.csv", **entry: Any) -> dict[str, float | None]:
    """The scores by their comparable keys."""
    scores = scores_of(folder, text, name, **entry)
    return dict(zip(scores.keys.to_pylist(), scores.records["score"].to_pylist(), strict=True))


RECOGNISED = {
    "semicolons and decimal commas": (
        "clip_id;score\na;71,17\nb;25,83\n",
        "delimiter ';' and decimal ',' recognised",
    ),
    "semicolons": ("clip_id;score\na;71.17\nb;25.83\n", "delimiter ';' recognised"),
    "tabs": ("clip_id\tscore\na\t71.17\nb\t25.83\n", r"delimiter '\t' recognised"),
    "bars": ("clip_id|score\na|71.17\nb|25.83\n", "delimiter '|' recognised"),
}


@pytest.mark.parametrize(("text", "note"), RECOGNISED.values(), ids=RECOGNISED.keys())
def test_the_dialect_is_recognised_and_noted(tmp_path: Path, text: str, note: str) -> None:
    """A delimiter and a decimal mark that the first lines show are used, and what was recognised is noted."""
    assert read(tmp_path, text) == {"a": 71.17, "b": 25.83}
    assert scores_of(tmp_path, text).note == f"s.csv: {note}"


def test_the_usual_dialect_needs_no_note(tmp_path: Path) -> None:
    """What is usual, and what the entry sets, is not noted."""
    assert scores_of(tmp_path, "clip_id,score\na,1\n").note is None
    assert scores_of(tmp_path, "clip_id;score\na;1,5\n", delimiter=";", decimal=",").note is None
    assert scores_of(tmp_path, '{"clip_id": "a", "score": 1}', "s.json").note is None


def test_set_dialect(tmp_path: Path) -> None:
    """A delimiter and a decimal mark that the entry sets are used; keys keep their commas."""
    assert read(tmp_path, "clip_id score\na 1.5\n", delimiter=" ") == {"a": 1.5}
    text = "clip_id;score;elapsed_ms\n1,5;2,5;3,5\n"
    scores = scores_of(tmp_path, text, delimiter=";", decimal=",")
    assert (scores.keys.to_pylist(), scores.records["score"].to_pylist()) == (["1,5"], [2.5])
    assert scores.records["runtime_ms"].to_pylist() == [3.5]
    assert read(tmp_path, "clip_id;mine\na;2,5\n", decimal=",", score_field="mine") == {"a": 2.5}


def test_a_point_is_no_decimal_comma(tmp_path: Path) -> None:
    """Where the decimal mark is a comma, a number with a point, perhaps of thousands, is an error and no guess."""
    text = "clip_id;score\na;2,5\nb;1.234\n"
    with pytest.raises(SidecarError, match=r"line 3: field score: found '1\.234 \(the decimal mark is ,\)'"):
        read(tmp_path, text, decimal=",")


def test_delimiter_in_doubt(tmp_path: Path) -> None:
    """Where the delimiter is not clear, the error names the one that the header seems to have."""
    with pytest.raises(
        SidecarError, match=r"s\.csv line 1: .*seems to have the delimiter ';': set delimiter"
    ):
        read(tmp_path, "clip_id;score;note\na;1;x;y\nb;2;z\n")


HEADERLESS = "a.mp4,3.88\nb.mp4,2.5\n"


def test_no_header(tmp_path: Path) -> None:
    """A file whose first line is data is refused with the entry to write, which reads it."""
    entry = r'\{"path": "uvq\.csv", "label": "dover", "columns": \["path", "score"\]\}'
    with pytest.raises(SidecarError, match=rf"line 1: .*found 'a\.mp4', '3\.88'; .*: {entry}"):
        read(tmp_path, HEADERLESS, "uvq.csv")
    assert read(tmp_path, HEADERLESS, "uvq.csv", columns=["path", "score"]) == {"a.mp4": 3.88, "b.mp4": 2.5}


def test_no_header_of_an_unlabelled_file(tmp_path: Path) -> None:
    """Without a label the proposed one is the file's name."""
    (tmp_path / "uvq.csv").write_text(HEADERLESS)
    with pytest.raises(SidecarError, match=r'"label": "uvq", "columns"'):
        read_sidecar(SidecarEntry("uvq.csv"), tmp_path, JoinOptions())


def test_columns_beside_a_header(tmp_path: Path) -> None:
    """A file that has a header although the entry names its columns is refused: the header is no row."""
    for names in (["path", "score"], ["key", "score"], ["clip", "value"]):
        with pytest.raises(
            SidecarError, match=r"line 1: found a header \('path', 'score'\).*leave columns out"
        ):
            read(tmp_path, "path,score\n" + HEADERLESS, columns=names)


def test_columns_that_do_not_fit(tmp_path: Path) -> None:
    """A record with more or fewer cells than the entry names columns is an error."""
    with pytest.raises(SidecarError, match="line 1: found 2 cells; expected 3, as in columns"):
        read(tmp_path, HEADERLESS, columns=["path", "score", "more"])


def test_a_header_of_numbers_and_texts_stays_one(tmp_path: Path) -> None:
    """A header that names key and score is never taken for data, whatever its other names look like."""
    assert read(tmp_path, "path,score,0.25\na.mp4,1,2.5\n") == {"a.mp4": 1.0}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    ("name", "text"), [("s.csv", "clip_id,score\na,1\n"), ("s.tsv", "clip_id\tscore\na\t1\n")]
)
def test_utf_16(tmp_path: Path, encoding: str, name: str, text: str) -> None:
    """UTF-16, as spreadsheets write it, is an error that says so and how to convert it."""
    with pytest.raises(SidecarError, match=r"not UTF-8 text; .*iconv -f UTF-16 -t UTF-8"):
        read(tmp_path, text.encode(encoding), name)


@pytest.mark.parametrize("name", ["s.json", "s.jsonl"])
def test_utf_16_json(tmp_path: Path, name: str) -> None:
    """The same of JSON."""
    with pytest.raises(SidecarError, match="found UTF-16 text; expected UTF-8"):
        read(tmp_path, '{"clip_id": "a", "score": 1}\n'.encode("utf-16"), name)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A mark at the beginning of UTF-8 is no part of the first name or cell."""
    assert read(tmp_path, "\ufeffclip_id;score\na;1,5\nb;2,5\n") == {"a": 1.5, "b": 2.5}
    assert read(tmp_path, "\ufeffa.mp4,1.5\n", columns=["path", "score"]) == {"a.mp4": 1.5}


@given(
    st.lists(st.decimals(-999, 999, places=2), min_size=1, max_size=5),
    st.sampled_from([";", "\t", "|"]),
    st.sampled_from([".", ","]),
)
def test_numbers_of_any_dialect(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[Any], delimiter: str, decimal: str
) -> None:
    """A table of scores says the same in every dialect."""
    folder = tmp_path_factory.mktemp("dialect")
    rows = [f"c{row}{delimiter}{str(number).replace('.', decimal)}\n" for row, number in enumerate(numbers)]
    found = read(folder, f"clip_id{delimiter}score\n{''.join(rows)}")
    assert list(found.values()) == [float(number) for number in numbers]
