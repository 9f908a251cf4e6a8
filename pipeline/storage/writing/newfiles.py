"""Files that are being written: bytes are appended, and the file takes its name when it is complete.

A local file has a temporary name beside its own until then; an object is uploaded meanwhile, and is there when the upload
is completed.
"""

from __future__ import annotations

import abc
import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...errors import InputMissingError
from .. import filenames, files, objects
from ..files import Hash, Signature
from ..locations import Location
from ..objects import ObjectPath

_MIN_SYNCED_BYTES = 1 << 26
_MAX_NAME_BYTES = 150  # no file system accepts more than 255, and the host takes up to 64
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<host>[A-Za-z0-9_]*)-(?P<pid>\d+)-[0-9a-f]{8}\.tmp")


class NewFile(io.RawIOBase):
    """A file that is being written; only appending is possible.

    Attributes:
        path: where it will be.
        size: number of its bytes so far.
    """

    def __init__(self, path: Location) -> None:
        self.path = path
        self.size = 0
        self._digest: Hash = hashlib.sha256()
        self._is_discarded = False

    @property
    def sha256(self) -> str:
        """The digest of the bytes so far, 64 hex digits."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Number of bytes so far."""
        return self.size

    def write(self, data: Any) -> int:
        """Append bytes; gives their number. Once the file is discarded they go nowhere: a writer may still close itself.

        :raises OSError: they cannot be written; `writing.replacing` reports it under the name of the file.
        """
        block = memoryview(data).cast("B")
        if self._is_discarded:
            return len(block)
        self._digest.update(block)
        self._append(block)
        self.size += len(block)
        return len(block)

    def copy(self, source: Location, size: int, digest: Hash) -> None:
        """Begin with the first bytes of another file.

        :param size: their number.
        :param digest: the digest of those bytes.
        :raises InputError: the file cannot be read, or is shorter.
        """
        with files.open_bytes(source) as stream:
            left = size
            while left:
                with files.reading(source):
                    block = stream.read(min(left, files.DIGEST_BUFFER))
                if not block:
                    raise files.became_shorter(source)
                left -= len(block)
                self._append(memoryview(block))
        self.size, self._digest = size, digest.copy()

    def begin(self) -> None:
        """Have a place for its bytes.

        :raises OSError: there cannot be one.
        """

    @abc.abstractmethod
    def _append(self, block: memoryview) -> None:
        """Write the bytes behind those that are there."""

    @abc.abstractmethod
    def complete(self) -> None:
        """Have all bytes where nothing can lose them, but not yet under the file's name."""

    @abc.abstractmethod
    def publish(self) -> None:
        """Give the file its name."""

    def discard(self) -> None:
        """Remove what is left if the file was not published."""
        self._is_discarded = True
        self._remove()

    @abc.abstractmethod
    def _remove(self) -> None:
        """Remove what is left of it."""

    @abc.abstractmethod
    def signature(self) -> Signature:
        """The signature of the file as it was published."""


def new_file(path: Location) -> NewFile:
    """A new file that will be at `path`; `begin` comes first, and `discard` last, whatever happens between them."""
    return _NewObject(path) if isinstance(path, ObjectPath) else _NewLocalFile(path)


class _NewLocalFile(NewFile):
    """A local file under a temporary name. A symbolic link at its path is replaced, not followed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._final = path
        self._temporary = path.with_name(f".{short_name(path.name)}.{mark()}-{secrets.token_hex(4)}.tmp")
        self._handle: int | None = None

    def begin(self) -> None:
        """Create it under its temporary name."""
        self._final.parent.mkdir(parents=True, exist_ok=True)
        if self._final.is_dir() and not self._final.is_symlink():
            raise IsADirectoryError(errno.EISDIR, "found a folder, expected a file or nothing")
        self._handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def copy(self, source: Location, size: int, digest: Hash) -> None:
        """As any file; a large copy is made durable here, so that the final fsync of the file is short."""
        super().copy(source, size, digest)
        if size > _MIN_SYNCED_BYTES:
            os.fsync(self._opened)

    def _append(self, block: memoryview) -> None:
        while block:  # a disk that fills up accepts a part and rejects the rest
            block = block[os.write(self._opened, block) :]

    def complete(self) -> None:
        """Make it durable, and set its mtime back by a tick, so that any later change gives another mtime."""
        found = os.fstat(self._opened)
        os.utime(self._opened, ns=(found.st_atime_ns, found.st_mtime_ns - files.TICK_NS))
        os.fsync(self._opened)

    def publish(self) -> None:
        """Rename it."""
        self._temporary.replace(self._final)

    def _remove(self) -> None:
        """Close it, and remove it if it has its temporary name."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)
        with contextlib.suppress(OSError):
            self._temporary.unlink()

    def signature(self) -> Signature:
        """What the file system says of it."""
        return files.signature(self._final)

    @property
    def _opened(self) -> int:
        if self._handle is None:
            raise ValueError(f"{self.path}: the file was not begun")
        return self._handle


class _NewObject(NewFile):
    """An object that is uploaded."""

    def __init__(self, path: ObjectPath) -> None:
        super().__init__(path)
        self._upload = objects.Upload(path)

    def copy(self, source: Location, size: int, digest: Hash) -> None:
        """As any file; in the store itself where it can."""
        if isinstance(source, ObjectPath) and self._upload.copy(source, size):
            self.size, self._digest = size, digest.copy()
        else:
            super().copy(source, size, digest)

    def _append(self, block: memoryview) -> None:
        self._upload.write(block)

    def complete(self) -> None:
        """Nothing: what is uploaded is durable."""

    def publish(self) -> None:
        """Complete the upload."""
        self._upload.complete(self.sha256)

    def _remove(self) -> None:
        """Abort the upload unless it is complete."""
        self._upload.abort()

    def signature(self) -> Signature:
        """What the store has answered to the upload."""
        if self._upload.found is None:
            raise InputMissingError(f"{self.path}: the object is not there yet")
        return files.object_signature(self._upload.found)


def short_name(name: str) -> str:
    """The part of a temporary file's name that identifies the file: its name, or a digest of a long name."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _MAX_NAME_BYTES else hashlib.sha256(encoded).hexdigest()[:32]


def mark() -> str:
    """Host and process, for the names of temporary files."""
    return f"{filenames.host()}-{os.getpid()}"


def left_by_dead(folder: Path, names: Iterable[str]) -> list[Path]:
    """The temporary files of files of these names that dead processes of this host have left in a folder.

    :raises OSError: the folder cannot be read.
    """
    wanted = {short_name(name) for name in names}
    found = []
    for entry in os.scandir(folder):
        parts = _TEMPORARY.fullmatch(entry.name)
        if (
            parts
            and parts["name"] in wanted
            and parts["host"] == filenames.host()
            and not _alive(int(parts["pid"]))
        ):
            found.append(folder / entry.name)
    return found


def _alive(pid: int) -> bool:
    """True if the process runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except ProcessLookupError:
        return False
    except OSError:  # the process of another user, or a system without /proc
        return True
    return state not in (b"Z", b"X")
