"""Text files come in parts whose size is bounded, or are refused with the place of what is too large."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.storage import textfiles as texts
from tests.support.builders import join_features, write_text

LIMIT = 100
ROW = '{"clip_id": "c0"}\n'
LONG = '{"clip_id": "' + "c" * 3_000_000 + '"}\n'


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the limits at a size that a test can write."""
    monkeypatch.setattr(texts, "MOST_WHOLE_BYTES", LIMIT)
    monkeypatch.setattr(texts, "MOST_RECORD_BYTES", LIMIT)


@pytest.mark.parametrize("size", [1, 7, 18, 19, 1000])
def test_parts_are_whole_lines(tmp_path: Path, size: int) -> None:
    """The parts are the file, each ends with a line, and none is longer than it has to be."""
    text = ROW * 3 + "\n" + ROW.rstrip("\n")
    parts = [*texts.read_lines(write_text(tmp_path / "s.jsonl", text), size)]
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
