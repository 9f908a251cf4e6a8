"""The bytes of an object, read by ranges."""

from __future__ import annotations

import io
import os
from typing import Any

from . import seen
from .paths import ObjectPath
from .store import Found, read_range

_FIRST_AHEAD, _MOST_AHEAD = 1 << 16, 1 << 23


class ObjectStream(io.RawIOBase):
    """The bytes of an object as a file that can seek; every read is of the object that was first seen.

    What is read ahead grows while reads follow one another, and is small again after a jump: a text takes few
    requests, and a column of a wide Parquet file little more than its own bytes.
    """

    def __init__(self, path: ObjectPath, found: Found) -> None:
        self.name = str(path)
        self._path, self._found = path, found
        self._at = 0
        self._ahead = _FIRST_AHEAD
        self._held, self._held_from = memoryview(seen.beginning(path)), 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset, which is returned."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._found.size}[whence]
        if start + offset < 0:
            raise OSError("found an offset before the start of the object")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as far as there are bytes; gives their number."""
        into = memoryview(buffer).cast("B")
        wanted = min(len(into), max(0, self._found.size - self._at))
        filled = 0
        while filled < wanted:
            here = self._held[self._at - self._held_from :] if self._at >= self._held_from else self._held[:0]
            if here:
                taken = min(len(here), wanted - filled)
                into[filled : filled + taken] = here[:taken]
            else:
                taken = self._fetched(into[filled:wanted])
            self._at += taken
            filled += taken
        return filled

    def _fetched(self, into: memoryview) -> int:
        """Read into the buffer itself if it is large, else a block ahead, of which nothing is taken yet."""
        follows = self._at == self._held_from + len(self._held)
        self._ahead = min(2 * self._ahead, _MOST_AHEAD) if follows else _FIRST_AHEAD
        if len(into) >= self._ahead:
            read_range(self._path, self._found.etag, self._at, into)
            self._held, self._held_from = memoryview(b""), self._at + len(into)
            return len(into)
        block = memoryview(bytearray(min(self._ahead, self._found.size - self._at)))
        read_range(self._path, self._found.etag, self._at, block)
        self._held, self._held_from = block, self._at
        return 0
