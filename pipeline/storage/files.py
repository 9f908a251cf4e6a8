"""The content of files: bytes, digest, signature, description for reports."""

from __future__ import annotations

import contextlib
import hashlib
import math
import mmap
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any, Protocol, Self, TypedDict, cast

from ..errors import BatchError, InputError, InputMissingError, SecondOpinionError, show
from . import filenames, locations, objects
from .locations import Location, is_uri
from .objects import ObjectPath, ObjectStream

DIGEST_BUFFER = 1 << 20
TICK_NS = 100_000_000
"""More than one tick of the clock of a file system that keeps fractions of seconds."""


class Hash(Protocol):
    """A running digest of hashlib."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Add bytes."""

    def hexdigest(self) -> str:
        """The digest of the bytes so far."""

    def copy(self) -> Self:
        """A separate copy with the same bytes so far."""


class FileDescription(TypedDict, total=False):
    """The description of a file in reports; only the kind `file` has a `sha256` (64 hex digits)."""

    path: str
    exists: bool
    kind: str
    sha256: str


@dataclass(frozen=True)
class Signature:
    """What the file system or the store reports about a file, without reading it.

    Attributes:
        size: number of bytes.
        mtime_ns: last change of the content, nanoseconds since the epoch.
        ctime_ns: last change of content or metadata; unlike `mtime_ns` no user can set it back.
        inode: number of the file on its device.
        tag: ETag and version of an object, which has no inode and whose times are 0; empty for a local file.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    tag: str = ""


def signature(path: Location) -> Signature:
    """The signature of the file at `path`.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it is no regular file, or cannot be reached.
    """
    if isinstance(path, ObjectPath):
        return object_signature(_object(path))
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise InputMissingError(f"{path}: the file is not there yet") from None
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: cannot be read: {filenames.reason(exc)}") from exc
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise InputError(f"{path}: found {kind}, expected a file")
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def object_signature(found: objects.Found) -> Signature:
    """The signature of an object of which the store has said this."""
    return Signature(found.size, 0, 0, 0, found.tag)


@contextlib.contextmanager
def seen_once(paths: Iterable[Location] = (), *, into: bool = False) -> Iterator[objects.Seen]:
    """Ask the stores only once about an object in this block; local files are looked at as ever.

    :param paths: files that will be asked about, so that a store can be asked about many at once.
    :param into: they will be read too.
    """
    with objects.seen_once((path for path in paths if isinstance(path, ObjectPath)), into=into) as seen:
        yield seen


def digest(path: Location) -> str:
    """The sha256 of the file's bytes, 64 hex digits.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it cannot be read.
    """
    return digest_from(path, hashlib.sha256()).hexdigest()


def digest_from(path: Location, running: Hash, start: int = 0, size: int | None = None) -> Hash:
    """`running` after the bytes of the file from `start` on, at most `size` of them."""
    with open_bytes(path) as stream, reading(path):
        stream.seek(start)
        left = math.inf if size is None else size
        while left and (block := stream.read(int(min(left, DIGEST_BUFFER)))):
            running.update(block)
            left -= len(block)
    return running


def digest_below(folder: Path, kinds: Sequence[str]) -> str:
    """The sha256 over the files below a folder, 64 hex digits: sorted lines of `path NUL sha256 LF`.

    :param kinds: patterns of their names, such as `*.py`.
    :raises InputError: a file cannot be read.
    """
    found = sorted((filenames.relative(path, folder), path) for kind in kinds for path in folder.rglob(kind))
    running = hashlib.sha256()
    for name, path in found:
        running.update(f"{name}\0{digest(path)}\n".encode())
    return running.hexdigest()


def read_bytes(path: Location) -> bytes:
    """The file's content, unchanged."""
    with open_bytes(path) as stream, reading(path):
        return stream.read()


def named(given: object, what: str, error: type[SecondOpinionError]) -> Location:
    """The place that the user gave as an argument.

    :param what: what the file should be, such as `a manifest`.
    :param error: the class to raise if it is no path and no URI of an object.
    """
    if not isinstance(given, str | PathLike | ObjectPath):
        raise error(f"found {show(given)}; expected the path of {what}")
    if is_uri(given) and (fault := filenames.input_fault(str(given))) is not None:
        raise error(f"{what}: {fault}")
    return locations.given(given)


def read_named(path: Location, what: str, error: type[SecondOpinionError]) -> bytes:
    """The content of a file that the user named in an argument.

    :param what: what the file should be, such as `a manifest`.
    :param error: the class to raise if no file can have that name, or it cannot be read.
    """
    if not filenames.is_name(path):
        raise error(f"found {show(str(path))}; expected the name of a file; expected {what}")
    try:
        return read_bytes(path)
    except BatchError as exc:
        raise error(f"{exc}; expected {what}") from exc


def holds(path: Location, content: bytes) -> bool:
    """True if the file at `path` exists and holds exactly `content`."""
    try:
        return read_bytes(path) == content
    except (InputError, InputMissingError):
        return False


def open_bytes(path: Location) -> IO[bytes]:
    """The file's bytes, unchanged and unbuffered.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it is no regular file, or may not be read.
    """
    if isinstance(path, ObjectPath):
        return cast("IO[bytes]", ObjectStream(path, _object(path)))
    signature(path)
    try:
        return path.open("rb", buffering=0)
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {filenames.reason(exc)}") from exc


def arrow_source(path: Location, buffer_size: int) -> dict[str, Any]:
    """The `source`, `buffer_size` and `pre_buffer` with which pyarrow opens a Parquet file.

    :param buffer_size: bytes to read at once from a local file, which pyarrow opens itself. Of an object it reads whole
        columns of a row group, as each read is a request; of a local file that would hold the group in memory.
    """
    if isinstance(path, ObjectPath):
        return {"source": open_bytes(path), "buffer_size": 0, "pre_buffer": True}
    return {"source": path, "buffer_size": buffer_size, "pre_buffer": False}


@contextlib.contextmanager
def reading(path: Location) -> Iterator[None]:
    """Turn an OSError of reading `path` into an InputError that names the file."""
    try:
        yield
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {filenames.reason(exc)}") from exc


def describe(path: Location, base: Location, sha256: str | None = None) -> FileDescription:
    """`path`, `exists`, `kind` and, for a file, `sha256` (digested here unless given).

    :raises InputError: the file cannot be read.
    """
    name = filenames.relative(path, base)
    if isinstance(path, ObjectPath):
        if sha256 is None and objects.look(path) is None:
            return {"path": name, "exists": False, "kind": "missing"}
        return {"path": name, "exists": True, "kind": "file", "sha256": sha256 or digest(path)}
    with reading(path):
        if path.is_dir():
            return {"path": name, "exists": True, "kind": "directory"}
        if not path.exists():
            return {"path": name, "exists": False, "kind": "missing"}
    return {"path": name, "exists": True, "kind": "file", "sha256": sha256 or digest(path)}


def became_shorter(path: Location) -> InputError:
    """The error of a file that ends before the size that it had."""
    return InputError(f"{path}: the file became shorter while it was being read; run again")


def _object(path: ObjectPath) -> objects.Found:
    found = objects.look(path)
    if found is None:
        raise InputMissingError(f"{path}: the object is not there yet")
    return found


def mapped(path: Path) -> memoryview:
    """The content of a local file, mapped into memory.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it cannot be read, or is empty.
    """
    with reading(path), open_bytes(path) as stream:
        try:
            return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as exc:
            raise InputError(f"{path}: the file is empty") from exc
