"""The run log beside the report: what differs between two equal runs, and what no report contains."""

from __future__ import annotations

import datetime
import json
import resource
import socket
import sys

from ..manifest.batch import Batch
from ..storage import filenames, writing


def append(batch: Batch, started: float, seconds: dict[str, float], workers: int, lineage: str = "") -> None:
    """Add one line about a run.

    :param started: the run's start, seconds since the epoch.
    :param seconds: per table that ended, the seconds from the start to its end.
    :param lineage: what kept lineage events from being sent; empty: nothing did.
    """
    now = datetime.datetime.now(datetime.UTC)
    begun = datetime.datetime.fromtimestamp(started, datetime.UTC)
    line = {
        "started": begun.isoformat(timespec="milliseconds"),
        "seconds": round((now - begun).total_seconds(), 3),
        "tables_ended_after_seconds": {table: round(after, 3) for table, after in sorted(seconds.items())},
        "peak_memory_mb": round(max(_peak(resource.RUSAGE_SELF), _peak(resource.RUSAGE_CHILDREN)), 1),
        "workers": workers,
        "host": socket.gethostname(),
        "argv": sys.argv,
        "base_dir": str(filenames.resolved(batch.base_dir)),
    }
    if lineage:
        line["lineage"] = lineage
    writing.append_line(batch.run_log, json.dumps(line).encode("ascii"))


def _peak(who: int) -> float:
    """Peak memory of one process, MB; the kernel counts kilobytes, on macOS bytes."""
    peak = resource.getrusage(who).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
