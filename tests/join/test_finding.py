"""Keys are found by their hashes exactly as pyarrow finds them by their text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.join.keys import Wanted, find, finding

KEYS = st.text(max_size=20) | st.integers(0, 50).map("clip_{}.mp4".format)
DISTINCT = st.lists(KEYS, unique=True, max_size=60)


@pytest.fixture(autouse=True, scope="module")
def every_table_is_large() -> Iterator[None]:
    """Hashes are used for any number of keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "MIN_HASHED", 0)
        patch.setattr(finding, "_MAX_MEAN_BYTES", 1 << 20)
        patch.setattr(finding, "_MAX_BYTES", 1 << 20)
        yield


def said(wanted: Sequence[str | None], keys: Sequence[str]) -> list[int | None]:
    """What is found, which must be what `index_in` finds."""
    held, looked = pa.array(keys, pa.string()), pa.array(wanted, pa.string())
    found = find(Wanted.of(looked), held)
    assert found.equals(pc.index_in(looked, held, skip_nulls=True))
    return list(found.to_pylist())


@given(wanted=st.lists(KEYS | st.none(), max_size=60), keys=DISTINCT)
def test_found_as_by_text(wanted: list[str | None], keys: list[str]) -> None:
    """Each wanted key has the position of the equal key, or none; null has none."""
    assert said(wanted, keys) == [keys.index(key) if key in keys else None for key in wanted]


@given(wanted=st.lists(KEYS | st.none(), max_size=60), keys=st.lists(KEYS, max_size=60))
def test_keys_that_are_there_twice(wanted: list[str | None], keys: list[str]) -> None:
    """Of a key that is there twice the first is found."""
    said(wanted, keys)


@given(keys=DISTINCT, of=st.integers(1, 3))
def test_hashes_that_are_the_same(keys: list[str], of: int) -> None:
    """Keys are told apart by their text where hashes do not tell them apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "hashes", lambda some: np.arange(len(some), dtype=np.uint64) % np.uint64(of))
        assert said([*keys, "other"], keys)[:-1] == [*range(len(keys))]


@given(keys=DISTINCT, tables=st.integers(1, 2))
def test_slots_that_are_the_same(keys: list[str], tables: int) -> None:
    """Keys that meet in a slot of each table are found all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "_MAX_TABLES", tables)
        said(keys, keys[::-1])
        patch.setattr(finding, "_MULTIPLIERS", np.zeros(tables, np.uint64))
        said(keys, keys[::-1])


def test_long_keys_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key of a megabyte among short ones is hashed by nobody: that takes longer than all else."""
    monkeypatch.setattr(finding, "_MAX_BYTES", 1024)
    keys = ["x" * (1 << 20), "a", "b"]
    assert Wanted.of(pa.array(keys)).hashes is None
    assert Wanted.of(pa.array(keys[1:])).hashes is not None
    assert said(keys, keys[::-1]) == [2, 1, 0]


def test_many_keys() -> None:
    """A hundred thousand keys of all lengths are found among others in another order."""
    keys = [f"{'x' * (number % 70)}{number}" for number in range(100_000)]
    wanted = [*keys[::3], "none", *keys[1::2]]
    assert said(wanted, keys[::-1]).count(None) == 1
