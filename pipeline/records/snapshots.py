"""Snapshots: the digest of a file when it was last read, and a signature that shows whether it has changed.

A signature is the file's size, times and inode. A signature taken right after a change can be the same after another
change in the same tick of the clock. Such a snapshot is not *settled*, and its file is read again. (git calls the same
problem "racily clean" entries of its index.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import InputError
from ..storage import files
from ..storage.files import TICK_NS, Signature
from ..storage.locations import Location
from ..storage.writing import NewFile

COARSE_TICK_NS = 2_000_000_000
"""One tick of a file system that keeps whole seconds (FAT: two)."""

Record: TypeAlias = tuple[str, int, int, int, int, bool] | tuple[str, int, int, int, int, bool, str]
"""Digest, size, times, inode, whether it is settled; and for an object its tag."""


@dataclass(frozen=True)
class Snapshot:
    """The digest of a file's content, and the signature that shows a later change.

    Attributes:
        sha256: digest of the content.
        signature: the file's signature when it was digested.
        settled: True if any later change must give another signature.
    """

    sha256: str
    signature: Signature
    settled: bool

    def as_record(self) -> Record:
        """The snapshot as JSON values."""
        of = self.signature
        local = (self.sha256, of.size, of.mtime_ns, of.ctime_ns, of.inode, self.settled)
        return (*local, of.tag) if of.tag else local

    @classmethod
    def from_record(cls, record: Record) -> Snapshot:
        """The snapshot of `as_record`."""
        sha256, size, mtime_ns, ctime_ns, inode, settled, *tag = record
        return cls(sha256, Signature(size, mtime_ns, ctime_ns, inode, *tag), settled)


def snapshot(path: Location, digest: Callable[[Location], str] = files.digest) -> Snapshot:
    """Read the file at `path`.

    :param digest: reads the file and returns the SHA-256 of its content.
    :raises InputMissingError: nothing has that name.
    :raises InputError: it cannot be read, or changed while it was read.
    """
    began = time.time_ns()
    before = files.signature(path)
    taken = Snapshot(digest(path), before, bool(before.tag) or _settled(_changed_ns(before, began), began))
    check_unchanged(path, before)
    return taken


def look_again(path: Location, known: Snapshot | None) -> Snapshot:
    """`known` if the file cannot have changed since; otherwise a new snapshot.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it cannot be read.
    """
    if known is not None and known.settled and files.signature(path) == known.signature:
        return known
    return snapshot(path)


def check_unchanged(path: Location, known: Signature) -> None:
    """:raises InputError: the file is no longer the one that was read."""
    if files.signature(path) != known:
        raise changed(path)


def changed(path: Location) -> InputError:
    """The error of a file that is no longer the one that was read."""
    return InputError(
        f"{path}: the file changed while it was being read; run again when nothing writes to it"
    )


def of_written(written: NewFile) -> Snapshot:
    """The snapshot of a file that `writing.replacing` has just given its name."""
    signature = written.signature()
    # Its name is new, so is its ctime; its content is older, and `replacing` has dated it back by a tick.
    is_settled = bool(signature.tag) or _settled(signature.mtime_ns, time.time_ns())
    return Snapshot(written.sha256, signature, is_settled)


def _changed_ns(seen: Signature, now_ns: int) -> int:
    """Time of the last change. If mtime is in the future, ctime alone is used."""
    return seen.ctime_ns if seen.mtime_ns > now_ns else max(seen.mtime_ns, seen.ctime_ns)


def _settled(changed_ns: int, read_ns: int) -> bool:
    keeps_fractions = changed_ns % 1_000_000_000 != 0
    return changed_ns + (TICK_NS if keeps_fractions else COARSE_TICK_NS) <= read_ns
