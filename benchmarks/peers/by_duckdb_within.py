"""The join by DuckDB within a limit on memory; what does not fit is spilled to a folder beside the output.

::

    python -m benchmarks.peers.by_duckdb_within LIMIT FEATURES OUT SIDECAR ...
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from benchmarks.peers.by_duckdb import statement

if __name__ == "__main__":
    limit, features, out, *sidecars = sys.argv[1:]
    duckdb.execute(f"SET memory_limit = '{limit}'")
    duckdb.execute(f"SET temp_directory = '{Path(out).absolute()}.spill'")
    duckdb.execute(statement(features, out, sidecars))
