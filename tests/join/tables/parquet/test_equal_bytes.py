"""Equal tables are equal bytes, whatever the process did before and in whichever thread it writes."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.join.tables.parquet.sink import sink_settings
from tests.support.builders import clips, join_features

WRITES = 3000


def write_other(seed: int) -> None:
    """Write a table that differs from seed to seed."""
    random = np.random.default_rng(seed)
    rows = int(random.integers(1, 3000))
    table = pa.table({"a": random.random(rows), "b": random.integers(0, 5, rows), "c": [f"{seed}"] * rows})
    pq.write_table(table, io.BytesIO(), **sink_settings(["b", "c"]))


def digest(folder: Path, number: int, **options: Any) -> str:
    """The digest of a joined table of two rows that is made in a folder of its own."""
    place = folder / str(number)
    place.mkdir(parents=True)
    pq.write_table(pa.table({"clip_id": ["c0", "c1"], "f": [0.1, None]}), place / "f.parquet")
    out = join_features(place / "f.parquet", "o.parquet", clips("c0", score=71.25), **options)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def test_bytes_do_not_depend_on_what_was_written_before(tmp_path: Path) -> None:
    """A small table has the same bytes first, and after thousands of others in many threads; copied, and written anew."""

    def digests(number: int) -> tuple[str, str]:
        return digest(tmp_path / "copied", number), digest(tmp_path / "anew", number, missing_policy="drop")

    first = digests(0)
    with ThreadPoolExecutor(8) as pool:
        assert len([*pool.map(write_other, range(WRITES))]) == WRITES
        assert {*pool.map(digests, range(1, 17))} == {first}


def test_the_codec_does_not_depend_on_the_processor(tmp_path: Path) -> None:
    """All that is written is compressed with zstd; snappy finds other matches on other processors."""
    pq.write_table(pa.table({"clip_id": ["c0", "c1"], "f": [0.1, 0.2]}), tmp_path / "f.parquet")
    for policy, own in (("mark", range(2, 7)), ("drop", range(7))):
        out = join_features(tmp_path / "f.parquet", "o.parquet", clips("c0", score=1), missing_policy=policy)
        group = pq.ParquetFile(out).metadata.row_group(0)
        assert {group.column(column).compression for column in own} == {"ZSTD"}
