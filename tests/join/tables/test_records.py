"""Records of a delimited text are the same in pieces, read beside each other, and in one stream."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import TableError
from pipeline.join.tables.delimited import records
from pipeline.join.tables.delimited.records import Records
from tests.support.builders import join_features, write_text

COLUMNS = ("clip_id", "x", "y")
CELLS = st.one_of(st.text("a1 .", max_size=4), st.text('a\n\r",;', max_size=5))
LINES = st.text('a1,"\n\r', max_size=60)


def rows(batches: list[pa.RecordBatch]) -> list[dict[str, str]]:
    """The rows of all batches."""
    return [row for batch in batches for row in batch.to_pylist()]


def outcome(path: Path, piece_bytes: int, columns: list[str]) -> object:
    """The rows of a table that is read in pieces of some size, or the message."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_PIECE_BYTES", piece_bytes)
        table = Records(path, COLUMNS, ",", 1)
        try:
            return rows([*table.each(lambda batch: batch, columns)])
        except TableError as exc:
            return str(exc)


def streamed(path: Path, columns: list[str]) -> object:
    """The rows as one stream gives them, or the message."""
    try:
        return rows([*Records(path, COLUMNS, ",", 1)._streamed(columns, False)])
    except TableError as exc:
        return str(exc)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 40),
    st.sampled_from([["clip_id"], ["x", "y"], [*COLUMNS]]),
)
@example([("a", "b\n", "c\n"), ("a", "b", "c")], "\n", 3, ["clip_id"])
def test_tables_in_pieces(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[tuple[str, str, str]],
    end: str,
    piece_bytes: int,
    columns: list[str],
) -> None:
    """However long the pieces are, and whatever the cells hold, the rows are those of one stream."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([COLUMNS, *table])
    path = write_text(tmp_path_factory.mktemp("t") / "t.csv", text.getvalue())
    assert outcome(path, piece_bytes, columns) == streamed(path, columns)


@settings(max_examples=150)
@given(LINES, st.integers(1, 40), st.sampled_from([["clip_id"], [*COLUMNS]]))
@example('a,b,"c\na,b,c\n', 4, ["clip_id"])
@example("a,b,c\n\n\na,b\n", 4, ["clip_id"])
def test_faulty_texts_in_pieces(
    tmp_path_factory: pytest.TempPathFactory, text: str, piece_bytes: int, columns: list[str]
) -> None:
    """What pyarrow refuses is refused in the words of one stream, which know the number of the record."""
    path = write_text(tmp_path_factory.mktemp("t") / "t.csv", ",".join(COLUMNS) + "\n" + text)
    assert outcome(path, piece_bytes, columns) == streamed(path, columns)


def test_a_column_that_turns_out_as_text_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of a cell that was read as a number at first is that of the file: `1.50` is not `1.5`."""
    monkeypatch.setattr(records, "_PIECE_BYTES", 1)
    write_text(tmp_path / "f.csv", "clip_id,x,y\nc0,1.50,7\nc1,NaN,\nc2,late,late\n")
    joined = join_features(tmp_path / "f.csv", "o.jsonl")
    assert '"x":"1.50","y":"7"' in joined.read_text("utf-8").splitlines()[0]
    assert '"x":"NaN","y":""' in joined.read_text("utf-8").splitlines()[1]


def test_a_table_that_is_not_held_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is too large to be held gives the same bytes as one that is held."""
    monkeypatch.setattr(records, "_PIECE_BYTES", 20)
    text = "clip_id,x,y\n" + "".join(f"c{row},{row}.5,{row or ''}\n" for row in range(200))
    features = write_text(tmp_path / "f.csv", text)
    held = join_features(features, "o.parquet").read_bytes()
    monkeypatch.setattr("pipeline.join.tables.delimited.reading.MAX_HELD_ROWS_BYTES", 100)
    monkeypatch.setattr("pipeline.join.tables.delimited.reading.MAX_HELD_BYTES", 100)
    assert join_features(features, "o.parquet").read_bytes() == held
