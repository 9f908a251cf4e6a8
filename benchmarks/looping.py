"""The least that a run of a batch could do: nothing but the join of each table, one after another.

::

    python -m benchmarks.looping MANIFEST
"""

from __future__ import annotations

import sys

from pipeline.manifest import load_manifest
from pipeline.materializer import materialize_entry

if __name__ == "__main__":
    batch = load_manifest(sys.argv[1])
    for entry in batch.tables:
        materialize_entry(entry, batch.base_dir)
