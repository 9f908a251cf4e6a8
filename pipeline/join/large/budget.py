"""How much memory the join of a table may take, and whether what it needs fits."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import BatchError, UsageError, show
from ...manifest.entries import TableEntry
from ...storage import filenames, files
from ...storage.formats import compression, sidecar_format, table_format
from ...storage.locations import Location, located
from ..tables import open_table

ENVIRONMENT = "SECOND_OPINION_MEMORY"
"""The environment variable that sets the limit, such as `4GB`."""

_SHARE = 0.75
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_CGROUPS, _OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")

# Measured: a row of features takes 80 bytes (its key, twice, and positions), a score 80, about what its line has.
_ROW_BYTES = 80
_BYTES_PER_PARQUET_BYTE = 6.0
_BYTES_PER_PACKED_BYTE = 8.0

_sharers = 1
_configured: str | None = None


def configure(size: str | None) -> None:
    """Set the limit of this process, such as `4GB`, for where the environment sets none; None: none."""
    global _configured  # noqa: PLW0603, RUF100  # one per process
    _configured = size


def share(processes: int) -> None:
    """Divide the memory of the machine among so many processes, this one and its forks."""
    global _sharers  # noqa: PLW0603, RUF100  # one per process
    _sharers = max(1, processes)


def parsed(text: str) -> int:
    """Bytes, given as `4GB`, `500MB` or `2GiB`.

    :raises UsageError: it is no such size.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise UsageError(f"memory: found {show(text)}; expected a size such as 4GB or 500MB")
    unit = 1024 if found[3] else 1000
    return int(float(found[1]) * unit ** " kmgt".index(found[2].lower() or " "))


def limit() -> int:
    """Bytes that the join of one table may take: as set, or this process's share of three quarters of all memory.

    :raises UsageError: what is set is no size.
    """
    given = os.environ.get(ENVIRONMENT) or _configured
    return parsed(given) if given else int(_SHARE * _memory() / _sharers)


def _memory() -> int:
    """The memory of this control group or machine, in bytes."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in _limits():
        with contextlib.suppress(BatchError, ValueError):  # there is none, or it says that there is no limit
            sizes.append(int(files.read_bytes(path)))
    return min(sizes)


def _limits() -> Iterator[Path]:
    """The files that limit this process's control group, in both versions of Linux's interface, see cgroups(7)."""
    groups: list[str] = []
    with contextlib.suppress(BatchError):
        groups = files.read_bytes(_OWN_CGROUPS).decode().splitlines()
    for _, controllers, group in (line.split(":", 2) for line in groups):
        for inside in (group.strip("/"), ""):  # in a container its own group is the root
            if not controllers:
                yield _CGROUPS / inside / "memory.max"
            elif controllers == "memory":
                yield _CGROUPS / controllers / inside / "memory.limit_in_bytes"


def fits(entry: TableEntry, base: Location) -> bool:
    """Whether the keys and scores of a table fit in memory.

    :raises BatchError: an input is not there, or cannot be read.
    """
    features = located(base, entry.features.path)
    scores = sum(_bytes(path, each.format) for each in entry.scores for _, path in each.files(base))
    if scores + _bytes(features) <= limit():
        return True
    if table_format(features.name) != "parquet":
        return False
    # of a Parquet table the keys alone are held: only where the size of all columns leaves it open, it is opened
    return scores + _ROW_BYTES * open_table(features, entry.options.feature_key).rows <= limit()


def _bytes(path: Location, form: str | None = None) -> float:
    """What all columns of a file would take; nothing if it is not there, which whoever reads it reports."""
    if not filenames.exists(path):
        return 0
    size = files.signature(path).size
    if sidecar_format(path.name, form) == "parquet":
        return size * _BYTES_PER_PARQUET_BYTE
    return size * (_BYTES_PER_PACKED_BYTE if compression(path.name) else 1)
