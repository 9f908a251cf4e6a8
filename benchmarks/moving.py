"""Files of the working folder moved by obstore alone.

python -m benchmarks.moving (fill | move) URI

fill: into the folder of a bucket. move: what was filled in is read, and an object of the size of `joined.parquet` written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import obstore
from obstore.store import S3Store

OUT = "joined.parquet"
_BLOCK, _AT_ONCE = 1 << 23, 4


def main() -> None:
    """Move the files."""
    action, uri = sys.argv[1:]
    bucket, _, folder = uri.removeprefix("s3://").partition("/")
    store = S3Store(bucket, prefix=folder, client_options={"allow_http": True})
    names = [path.name for path in Path().iterdir()]
    if action == "fill":
        for name in names:
            obstore.put(store, name, Path(name), chunk_size=_BLOCK, max_concurrency=_AT_ONCE)
        return
    for name in names:
        for _ in obstore.get(store, name).stream(min_chunk_size=_BLOCK):
            pass
    size = obstore.head(store, OUT)["size"]
    obstore.put(store, "moved", _blocks(size), chunk_size=_BLOCK, max_concurrency=_AT_ONCE)


def _blocks(size: int) -> Iterator[bytes]:
    for start in range(0, size, _BLOCK):
        yield bytes(min(_BLOCK, size - start))


if __name__ == "__main__":
    main()
