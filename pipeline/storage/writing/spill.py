"""Files without a name, for what does not fit in memory: they vanish with their process, however it ends."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

from .whole import guarded


class Spill:
    """A file that grows at its end and is then mapped into memory, where it takes no room of its own."""

    def __init__(self, folder: Path) -> None:
        """:raises OutputError: the folder takes no file."""
        self._folder = folder
        with guarded(folder):
            self._handle = _nameless(folder)
        weakref.finalize(self, os.close, self._handle)
        self._size = 0

    def append(self, content: Any) -> None:
        """Add the bytes of a buffer or an array.

        :raises OutputError: the disk is full.
        """
        rest = memoryview(content).cast("B")
        with guarded(self._folder):
            while rest:
                written = os.write(self._handle, rest)
                self._size += written
                rest = rest[written:]

    def mapped(self) -> memoryview:
        """All bytes so far; nothing may be appended any more."""
        if not self._size:
            return memoryview(b"")
        with guarded(self._folder):
            return memoryview(mmap.mmap(self._handle, self._size, access=mmap.ACCESS_READ))


def _nameless(folder: Path) -> int:
    """A new file that has no name at any moment; where the system cannot, one that loses its name at once."""
    with contextlib.suppress(OSError, AttributeError):  # not on every file system, and on Linux alone
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".spill-", suffix=".tmp")
    Path(name).unlink()
    return handle
