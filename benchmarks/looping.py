"""The least that a run of a batch could do: nothing but the join of each table, one after another.

::

    python -m benchmarks.looping MANIFEST
"""

from __future__ import annotations

import sys

from pipeline.join.materialize import materialize_entry
from pipeline.manifest.batch import load_manifest

if __name__ == "__main__":
    batch = load_manifest(sys.argv[1])
    for entry in batch.tables:
        materialize_entry(entry, batch.base_dir)
