"""Tables that do not fit in memory are joined in pieces: same bytes, same audits, same errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, JoinError, OutputError, SecondOpinionError, SidecarError, UsageError
from pipeline.join.keys.hashes import hashes
from pipeline.join.large import budget, index, pieces
from pipeline.join.large.index import KeyIndex
from pipeline.join.large.spool import SpooledTable
from pipeline.join.materialize import materialize
from pipeline.join.sidecars import read
from pipeline.join.sidecars.record import NUMBERED
from tests.join.test_oracle import COMMON, join_batch
from tests.support.batches import Batch, batches
from tests.support.builders import clips, tree, write_jsonl
from tests.support.examples import EXAMPLES
from tests.support.processes import second_opinion

KEYS = pa.array(["a", "", "b/c.mp4", "é", "a" * 9, "a" * 16, "a" * 17, "clip_00000001", "clip_00000002"])


@contextlib.contextmanager
def in_pieces(memory: str = "1B") -> Iterator[None]:
    """Nothing fits in memory in this block, and every few rows are a piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(budget.ENVIRONMENT, memory)
        patch.setattr(read, "SPOOLED_ROWS", 2)
        patch.setattr(pieces, "PIECE_ROWS", 2)
        patch.setattr(index, "_PIECE_ROWS", 2)
        yield


def ended(batch: Batch, folder: Path) -> dict[str, bytes] | str:
    """What a join leaves behind, or its error."""
    try:
        join_batch(batch, folder)
    except SecondOpinionError as error:
        return f"{type(error).__name__}: {error}".replace(str(folder), "")
    return tree(folder)


@settings(COMMON, max_examples=EXAMPLES)
@given(batch=batches())
def test_the_result_is_that_of_a_join_in_memory(batch: Batch) -> None:
    """Joined table and audit are equal byte for byte, and so are errors."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        for name in (one, other):
            batch.write(Path(name))
        in_memory = ended(batch, Path(one))
        with in_pieces():
            assert ended(batch, Path(other)) == in_memory


@given(
    st.lists(st.text(max_size=20), unique=True, max_size=30),
    st.lists(st.none() | st.text(max_size=20), max_size=30),
)
def test_an_index_finds_what_is_there(keys: list[str], wanted: list[str | None]) -> None:
    """Each wanted key is found in its row, or not at all."""
    wanted += keys[::2]
    built = KeyIndex.of(pa.array(keys, pa.string()))
    rows = {key: row for row, key in enumerate(keys)}
    found = built.find(pa.array(wanted, pa.string())).tolist()
    assert found == [-1 if key is None else rows.get(key, -1) for key in wanted]


def test_keys_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys may have one hash: the keys themselves decide."""
    monkeypatch.setattr(index, "hashes", lambda keys: np.full(len(keys), 7, np.uint64))
    built = KeyIndex.of(KEYS)
    assert built.find(KEYS).tolist() == list(range(len(KEYS)))
    assert built.find(pa.array(["other"])).tolist() == [-1]
    assert built.repeated().to_pylist() == []


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_hash_does_not_depend_on_the_layout(kind: pa.DataType) -> None:
    """A key has the same hash in a slice, in a large array, and beside keys of other lengths."""
    alone = [hashes(pa.array([key]))[0] for key in KEYS.to_pylist()]
    assert hashes(KEYS.cast(kind)).tolist() == alone
    assert hashes(KEYS.cast(kind).slice(3)).tolist() == alone[3:]
    assert len(set(alone)) == len(KEYS)


def test_an_index_of_some_keys_spelled_otherwise() -> None:
    """Only the chosen keys are found, and compared as they are spelled for it."""
    only = np.array([key.startswith("clip") for key in KEYS.to_pylist()])
    built = KeyIndex.of(KEYS, only, pc.utf8_lower)
    assert built.find(pa.array(["CLIP_00000002", "a"])).tolist() == [8, -1]


def test_repeated_keys_are_named() -> None:
    """The keys that are there more than once, each once."""
    built = KeyIndex.of(pa.array(["a", "b", "a", "c", "c", "a"]))
    assert sorted(built.repeated().to_pylist()) == ["a", "c"]


def test_a_spooled_table_is_what_was_added(tmp_path: Path) -> None:
    """Texts, numbers and nulls come back as they were, from files that nobody sees."""
    rows = pa.table(
        [["a", "", "é"], [1.5, None, -0.0], [True, False, True], [None, None, 2.0], [0, 5, 7], [1, 2, 3]],
        schema=NUMBERED,
    )
    spooled = SpooledTable(tmp_path, NUMBERED)
    for part in (rows, rows.slice(1), rows.slice(0, 0)):
        spooled.add(column.combine_chunks() for column in part.columns)
    assert spooled.table().equals(pa.concat_tables([rows, rows.slice(1)]))
    assert [*tmp_path.iterdir()] == []


def test_texts_of_more_than_two_gigabytes_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their offsets have 64 bits then, and a join gives the same."""
    monkeypatch.setattr("pipeline.join.large.spool._MAX_TEXT", 3)
    spooled = SpooledTable(tmp_path, pa.schema([("key", pa.string())]))
    spooled.add([pa.array(["ab", "cd"])])
    assert spooled.table()["key"].type == pa.large_string()
    write_jsonl(tmp_path / "f.jsonl", [*clips("c0", "c1", "x"), *clips("c1")])
    write_jsonl(
        tmp_path / "s.jsonl",
        [{"clip_id": f"C{row}" if row > 4 else f"c{row}", "score": row} for row in range(9)],
    )
    made = [materialize("f.jsonl", ["dover=s.jsonl"], "o.jsonl", base_dir=tmp_path).summary]
    with in_pieces():
        made.append(materialize("f.jsonl", ["dover=s.jsonl"], "o.jsonl", base_dir=tmp_path).summary)
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        (clips("c0", "c0", score=1), SidecarError, r"line 2: the key 'c0' again, first at s\.jsonl line 1"),
        (clips("other", score=1), JoinError, "no row matched"),
        ([*clips("c0", score=1), *clips("c1", score="good")], SidecarError, "1 faulty row"),
    ],
    ids=["duplicate", "no match", "faulty"],
)
def test_errors_are_those_of_a_join_in_memory(
    tmp_path: Path, rows: list[dict[str, object]], kind: type[SecondOpinionError], said: str
) -> None:
    """What a join in memory refuses, is refused with the same words, and nothing is left."""
    write_jsonl(tmp_path / "f.jsonl", clips("c0", "c1"))
    write_jsonl(tmp_path / "s.jsonl", rows)
    with in_pieces(), pytest.raises(kind, match=said):
        materialize("f.jsonl", ["dover=s.jsonl"], "out/o.jsonl", base_dir=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.jsonl", "s.jsonl"]


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4e9), ("4 gb", 4e9), ("500MB", 5e8), ("2GiB", 2 << 30), ("1.5g", 1.5e9), ("7", 7)],
)
def test_sizes(text: str, size: float) -> None:
    """Decimal and binary units, in any case, with or without the B."""
    assert budget.parsed(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "4 apples", "0"])
def test_what_is_no_size(text: str) -> None:
    """It is refused with what is expected."""
    with pytest.raises(UsageError, match="expected a size such as 4GB"):
        budget.parsed(text)


def test_the_memory_is_that_of_the_control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the limits of its group and its root in both of Linux's interfaces the smallest counts; workers share it."""
    monkeypatch.delenv(budget.ENVIRONMENT, raising=False)
    monkeypatch.setattr(budget, "_CGROUPS", tmp_path)
    monkeypatch.setattr(budget, "_OWN_CGROUPS", tmp_path / "own")
    whole = budget.limit()
    (tmp_path / "own").write_text("4:memory:/job\n0::/job\n")
    for name, content in (("memory/job/memory.limit_in_bytes", "4000000"), ("job/memory.max", "max")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(content)
    assert budget.limit() == 3_000_000 < whole
    budget.share(3)
    try:
        assert budget.limit() == 1_000_000
    finally:
        budget.share(1)


def test_the_flag(tmp_path: Path) -> None:
    """`--memory` is heard by `run` and `join`, and what is no size is refused before anything is read."""
    write_jsonl(tmp_path / "f.jsonl", clips("c0"))
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    joining = ("join", "--features", "f.jsonl", "--scores", "dover=s.jsonl", "--out")
    assert second_opinion(tmp_path, *joining, "a.jsonl", "--memory", "1B").returncode == 0
    assert second_opinion(tmp_path, *joining, "b.jsonl").returncode == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    refused = second_opinion(tmp_path, *joining, "c.jsonl", "--memory", "much")
    assert refused.returncode == 2
    assert "found 'much'; expected a size such as 4GB" in refused.stderr


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error of ours that names the folder."""
    monkeypatch.setattr("os.write", _full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        SpooledTable(tmp_path, NUMBERED)


def _full(_handle: int, _content: object) -> int:
    raise OSError(28, "No space left on device")


def test_features_that_change_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in memory: a table of changed features is not written."""
    write_jsonl(tmp_path / "f.jsonl", clips("c0"))
    write_jsonl(tmp_path / "s.jsonl", clips("c0", score=1))
    matched = pieces.match_in_pieces

    def changing(*given: object) -> object:
        write_jsonl(tmp_path / "f.jsonl", clips("c0", "c1"))
        return matched(*given)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(pieces, "match_in_pieces", changing)
    with in_pieces(), pytest.raises(InputError, match="changed while it was being read"):
        materialize("f.jsonl", ["dover=s.jsonl"], "o.jsonl", base_dir=tmp_path)
