"""Text files are packed by their names; they come in parts of a bounded size, or are refused with the line that is too large."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.storage import textfiles, writing
from tests.support.builders import join_features, write_text

LIMIT = 100
ROW = '{"clip_id": "c0"}\n'
LONG = '{"clip_id": "' + "c" * 9_000_000 + '"}\n'


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the limits at a size that a test can write."""
    monkeypatch.setattr(textfiles, "MAX_WHOLE_BYTES", LIMIT)
    monkeypatch.setattr(textfiles, "MAX_RECORD_BYTES", LIMIT)


@pytest.mark.parametrize("size", [1, 7, 18, 19, 1000])
def test_parts_are_whole_lines(tmp_path: Path, size: int) -> None:
    """The parts are the file, each ends with a line, and none is longer than it has to be."""
    text = ROW * 3 + "\n" + ROW.rstrip("\n")
    parts = [*textfiles.read_lines(write_text(tmp_path / "s.jsonl", text), size)]
    assert b"".join(parts).decode() == text
    assert all(part.endswith(b"\n") for part in parts[:-1])
    assert all(len(part) < size + len(ROW) for part in parts)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.jsonl", ROW * 20 + LONG + ROW, r"f\.jsonl line 21: more than 0 MB; expected shorter lines"),
        ("f.json", f"[{LONG}]", r"f\.json: found a document of more than 0 MB; expected JSON Lines"),
        ("f.csv", "clip_id," + "c" * LIMIT, r"f\.csv line 1: more than 0 MB; expected shorter lines"),
    ],
    ids=["line", "document", "header"],
)
def test_what_is_too_large_to_be_held(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A document or a line that is larger than may be held at once is refused with its place."""
    with pytest.raises(InputError, match=message):
        join_features(write_text(tmp_path / name, text), "o.jsonl")


def test_a_file_of_any_size_is_read_in_lines(tmp_path: Path) -> None:
    """What counts is the line: a file may be of any size."""
    assert (
        len(join_features(write_text(tmp_path / "f.jsonl", ROW * 20), "o.jsonl").read_text().splitlines())
        == 20
    )


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.csv.zst"])
def test_text_files(tmp_path: Path, name: str) -> None:
    """What was written as text reads back the same, packed or not, without a byte order mark."""
    with writing.replacing(tmp_path / name) as (created,), textfiles.text_bytes_of(created) as stream:
        stream.write(textfiles.BYTE_ORDER_MARK + b"abc\n" * 100_000)
    with textfiles.open_text_bytes(tmp_path / name) as stream:
        assert stream.read() == b"abc\n" * 100_000
    assert (tmp_path / name).stat().st_size < 10_000 or name == "f.csv"


def test_a_packed_text_holds_no_time(tmp_path: Path) -> None:
    """A gzip file of the project holds neither a time nor a name, so that equal content is equal bytes."""
    path = tmp_path / "f.csv.gz"
    with writing.replacing(path) as (created,), textfiles.text_bytes_of(created) as stream:
        stream.write(b"abc")
    content = path.read_bytes()
    assert content[3:8] == bytes(5)
    assert gzip.decompress(content) == b"abc"


@pytest.mark.parametrize("name", ["f.csv.gz", "f.csv.zst"])
def test_damaged_packed_files(tmp_path: Path, name: str) -> None:
    """A file that is not packed as its name says is an error that names it."""
    write_text(tmp_path / name, "clip_id,score\n")
    with pytest.raises(InputError, match=rf"{name}: cannot be read"):
        textfiles.open_text_bytes(tmp_path / name)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_file_that_unpacks_to_far_more_than_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """No table packs into a thousandth of its size: past a size that does no harm, such a file is refused."""
    path = tmp_path / f"f.csv.{suffix}"
    with writing.replacing(path) as (created,), textfiles.text_bytes_of(created) as stream:
        stream.write(b"\n" * (3 << 20))
    with textfiles.open_text_bytes(path) as stream:
        assert len(stream.read()) == 3 << 20
    monkeypatch.setattr(textfiles, "_MIN_REFUSED_BYTES", 1 << 20)
    monkeypatch.setattr(textfiles, "_MAX_UNPACKED_TIMES", 100)
    with (
        textfiles.open_text_bytes(path) as stream,
        pytest.raises(InputError, match=rf"f\.csv\.{suffix}: unpacks to more than 100 times its size"),
    ):
        stream.read()
