"""Keys of every Arrow type that has a text meet the text that a sidecar would hold."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.join import keys
from tests.support.builders import clips, join_features

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def extension(kind: pa.DataType, storage: pa.Array) -> pa.Array:
    """A column of an extension type."""
    return pa.ExtensionArray.from_storage(kind, storage)


class Named(pa.ExtensionType):  # type: ignore[misc]  # pyarrow ships no types
    """An extension type that pyarrow does not know by itself."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, "tests.named")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


KEYS: dict[str, tuple[pa.Array, str]] = {
    "UUID": (extension(pa.uuid(), pa.array([uuid.UUID(ID).bytes, None], pa.binary(16))), ID),
    "JSON": (extension(pa.json_(), pa.array(["c0", None])), "c0"),
    "boolean of a byte": (extension(pa.bool8(), pa.array([1, None], pa.int8())), "true"),
    "own type of text": (extension(Named(pa.string()), pa.array(["c0", None])), "c0"),
    "own type of integers": (extension(Named(pa.int64()), pa.array([7, None])), "7"),
    "own type of floats": (extension(Named(pa.float64()), pa.array([7.0, None])), "7"),
    "bytes": (pa.array([b"c0", None]), "c0"),
    "fixed bytes": (pa.array([b"c0", None], pa.binary(2)), "c0"),
    "large bytes": (pa.array([b"c0", None], pa.large_binary()), "c0"),
    "view": (pa.array(["c0", None], pa.string_view()), "c0"),
    "view of bytes": (pa.array([b"c0", None], pa.binary_view()), "c0"),
    "dictionary": (pa.array(["c0", None]).dictionary_encode(), "c0"),
    "dictionary of large text": (pa.array(["c0", None], pa.large_string()).dictionary_encode(), "c0"),
    "dictionary of integers": (pa.array([7, None]).dictionary_encode(), "7"),
    "runs": (pc.run_end_encode(pa.array(["c0", None])), "c0"),
    "decimal": (pa.array([Decimal("7.00"), None]), "7"),
    "small decimal": (pa.array([Decimal("7.5"), None], pa.decimal32(3, 1)), "7.5"),
    "large decimal": (pa.array([Decimal("7.5"), None], pa.decimal256(40, 1)), "7.5"),
    "half": (pa.array([7.0, None], pa.float16()), "7"),
    "unsigned": (pa.array([2**64 - 1, None], pa.uint64()), str(2**64 - 1)),
    "date": (pa.array([datetime.date(2024, 2, 29), None]), "2024-02-29"),
}


@pytest.mark.parametrize(("column", "text"), KEYS.values(), ids=KEYS.keys())
def test_a_key_has_its_text(column: pa.Array, text: str) -> None:
    """The text of a key is its plain text; a null has none."""
    assert keys.texts(column).to_pylist() == [text, None]
    assert keys.texts(column.slice(1)).to_pylist() == [None]


@given(st.lists(st.none() | st.uuids()))
def test_the_text_of_a_uuid(values: list[uuid.UUID | None]) -> None:
    """A UUID's text is Python's: lower case, with hyphens."""
    storage = pa.array([None if each is None else each.bytes for each in values], pa.binary(16))
    texts = keys.texts(extension(pa.uuid(), storage))
    assert texts.to_pylist() == [None if each is None else str(each) for each in values]
    assert texts.type == pa.string()


def test_uuids_of_duckdb_meet_their_texts(tmp_path: Path) -> None:
    """A feature table of DuckDB with UUIDs meets a sidecar that has them as texts."""
    duckdb.connect().sql("select uuid() as clip_id from range(3)").write_parquet(str(tmp_path / "f.parquet"))
    ids = [str(each) for each in pq.read_table(tmp_path / "f.parquet")["clip_id"].to_pylist()]
    after = pq.read_table(join_features(tmp_path / "f.parquet", "o.parquet", clips(*ids, score=1)))
    assert after["second_opinion_dover_score"].to_pylist() == [1.0] * 3


@pytest.mark.parametrize(
    "column",
    [
        extension(pa.fixed_shape_tensor(pa.float32(), [2]), pa.array([[1, 2]], pa.list_(pa.float32(), 2))),
        extension(Named(pa.list_(pa.int64())), pa.array([[1]])),
    ],
    ids=["tensor", "own type of lists"],
)
def test_an_extension_of_lists_has_no_text(column: pa.Array) -> None:
    """What is stored as lists has no text, as lists have none."""
    with pytest.raises(pa.ArrowNotImplementedError, match="cast"):
        keys.texts(column)
