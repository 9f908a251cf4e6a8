"""Reads a frames-shaped sidecar in one of two ways, and prints the seconds it took without the imports.

::

    python -m benchmarks.reading read_sidecar|orjson FILE
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path


def by_read_sidecar(path: Path) -> Callable[[], object]:
    """What `second-opinion` does with a sidecar before it joins: every rule checked, scores in columns."""
    import pyarrow as pa

    from pipeline.join.sidecars.read import read_sidecar
    from pipeline.manifest.entries import SidecarEntry
    from pipeline.manifest.options import JoinOptions

    pa.array([0])  # an import too: with its first array pyarrow imports pandas
    entry = SidecarEntry(path.name, label="nr")
    return lambda: read_sidecar(entry, path.parent, JoinOptions())


def by_orjson(path: Path) -> Callable[[], object]:
    """Each line becomes Python objects, of which nothing is kept."""
    import orjson

    def read() -> None:
        with path.open("rb") as stream:
            for line in stream:
                orjson.loads(line)

    return read


WAYS = {"read_sidecar": by_read_sidecar, "orjson": by_orjson}


def main(way: str, path: Path) -> None:
    """Time one way."""
    read = WAYS[way](path)
    began = time.perf_counter()
    read()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
