"""Outboxes: lines of JSON that a process and its children leave until one of them has passed the lines on.

An outbox is one file in a folder that several processes share. Its process holds a lock on it, which its children
inherit. The kernel frees the lock when the last of them has ended, in whatever way. An outbox that nobody holds is
abandoned: whoever finds it may take its lines over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from ...errors import OutputError
from .. import filenames, jsontext, writing
from ..jsontext import JsonObject

_ACTIVE, _LEFT = ".jsonl", ".left"
_LOCK_SECONDS, _POLL_SECONDS = 2.0, 0.01


class Outbox:
    """One outbox, open.

    Attributes:
        path: its file.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._read = 0

    @classmethod
    def create(cls, folder: Path) -> Outbox:
        """A new outbox that this process holds.

        :raises OSError: it cannot be created.
        """
        path = folder / f"{filenames.host()}-{os.getpid()}-{secrets.token_hex(4)}{_ACTIVE}"
        created = cls(path, writing.open_own(path, os.O_RDWR | os.O_APPEND))
        fcntl.flock(created._handle, fcntl.LOCK_EX)
        return created

    @property
    def size(self) -> int:
        """Its bytes."""
        return os.fstat(self._handle).st_size

    def append(self, value: JsonObject) -> None:
        """Add a line; it begins with a line end too, in case a full disk has cut the one before.

        :raises OSError: it cannot be written.
        """
        os.write(self._handle, b"\n" + jsontext.canonical(value) + b"\n")

    def read(self) -> list[JsonObject]:
        """The lines that were added since the last call."""
        content = os.pread(self._handle, max(0, self.size - self._read), self._read)
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        return _parsed(whole)

    def lines(self) -> list[JsonObject]:
        """All lines."""
        return _parsed(os.pread(self._handle, self.size, 0))

    def leave(self) -> None:
        """Mark that its process takes part no longer; the lines stay until `remove`."""
        left = self.path.with_suffix(_LEFT)
        self.path.rename(left)
        self.path = left

    def close(self) -> None:
        """Let go of it; it stays for whoever finds it."""
        os.close(self._handle)

    def remove(self) -> None:
        """Let go of it and remove it.

        :raises OutputError: it cannot be removed.
        """
        writing.remove(self.path)
        self.close()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep the other processes that use the folder out of blocks of this kind.

    :raises OutputError: another process stays in its block, or the folder cannot be written.
    """
    path = folder / "lock"
    with writing.guarded(path):
        folder.mkdir(parents=True, exist_ok=True)
        handle = writing.open_own(path, os.O_RDWR)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise OutputError(f"{path}: another process holds it; end that process")
            time.sleep(_POLL_SECONDS)  # flock itself waits without a limit
        yield
    finally:
        os.close(handle)


def others(own: Outbox) -> tuple[bool, list[Outbox]]:
    """Whether other processes take part in the folder, and the outboxes that are abandoned, which this process then holds.

    :raises OSError: an outbox cannot be opened.
    """
    living, abandoned = False, []
    for name in sorted(filenames.names_in(own.path.parent)):
        path = own.path.with_name(name)
        if path != own.path and path.suffix in (_ACTIVE, _LEFT):
            found = Outbox(path, writing.open_own(path, os.O_RDWR | os.O_APPEND))
            if _locked(found._handle):
                abandoned.append(found)
            else:
                living |= path.suffix == _ACTIVE
                found.close()
    return living, abandoned


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parsed(content: bytes) -> list[JsonObject]:
    """The objects on the lines; torn lines are left out."""
    found: list[JsonObject] = []
    for line in content.split(b"\n"):
        with contextlib.suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                found.append(value)
    return found
