"""The only place that touches a file system: open, digest, describe, write whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import math
import os
import re
import secrets
import socket
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any, Protocol, Self, TypeAlias, TypedDict

from pipeline.errors import InputError, InputMissingError, OutputError, show
from pipeline.storage.formats import compression

DIGEST_BUFFER = 1 << 20
_MUCH_BYTES = 1 << 26
# No table of rows packs into so much less room, once it is this much.
_MOST_UNPACKED, _MUCH_UNPACKED = 1000, 1 << 26
TICK_NS = 100_000_000
"""More than one tick of the clock of a file system that keeps parts of seconds."""

_LONGEST_NAME = 150  # bytes; no file system takes more than 255, and up to 64 are the host's
_LONGEST_PATH = 4096  # bytes
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<host>[A-Za-z0-9_]*)-(?P<pid>\d+)-[0-9a-f]{8}\.tmp")
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}  # no file can be there
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
Identity: TypeAlias = tuple[int, int]
"""The device and number of a folder or file."""


class Hash(Protocol):
    """A running digest of hashlib."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """The digest of the bytes so far."""

    def copy(self) -> Self:
        """Another one that has taken the same bytes."""


class FileDescription(TypedDict, total=False):
    """A file as reports name it: `sha256` (64 hex digits) is there for kind `file` only."""

    path: str
    exists: bool
    kind: str
    sha256: str


@dataclass(frozen=True)
class Signature:
    """What the file system says of a file's content without reading it.

    Attributes:
        size: bytes.
        mtime_ns: last change of the content, nanoseconds since the epoch.
        ctime_ns: last change of content or metadata; unlike `mtime_ns` no user can set it back.
        inode: number of the file on its device.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def signature(path: Path) -> Signature:
    """The signature of the file at `path`.

    :raises InputMissingError: nothing is there.
    :raises InputError: it is there but no regular file, or cannot be reached.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise InputMissingError(f"{path}: the file is not there yet") from None
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: cannot be read: {_reason(exc)}") from exc
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise InputError(f"{path}: found {kind}, expected a file")
    return Signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def digest(path: Path) -> str:
    """The sha256 of the file's bytes, 64 hex digits.

    :raises InputMissingError: nothing is there.
    :raises InputError: it cannot be read.
    """
    return digest_from(path, hashlib.sha256()).hexdigest()


def digest_from(path: Path, running: Hash, start: int = 0, size: int | None = None) -> Hash:
    """`running` after the bytes of the file from `start` on, at most `size` of them."""
    with open_bytes(path) as stream, reading(path):
        stream.seek(start)
        left = math.inf if size is None else size
        while left and (block := stream.read(int(min(left, DIGEST_BUFFER)))):
            running.update(block)
            left -= len(block)
    return running


def read_bytes(path: Path) -> bytes:
    """The file's content as it stands."""
    with open_bytes(path) as stream, reading(path):
        return stream.read()


def open_bytes(path: Path) -> IO[bytes]:
    """The file as it stands, unbuffered.

    :raises InputMissingError: nothing is there.
    :raises InputError: it is no regular file, or may not be read.
    """
    signature(path)
    try:
        return path.open("rb", buffering=0)
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {_reason(exc)}") from exc


def open_text_bytes(path: Path) -> IO[bytes]:
    """The bytes of a text file: decompressed by its `.gz` or `.zst` suffix, without a byte order mark.

    A read from what it returns may raise OSError for damaged compressed data: read inside `reading`.
    """
    import pyarrow as pa

    raw = open_bytes(path)
    packed = compression(path.name)
    # pyarrow rather than gzip: one decompressor for both formats, and it refuses truncated data.
    plain: Any = _Unpacked(path, pa.input_stream(raw, compression=packed)) if packed else raw
    buffered: IO[bytes] = io.BufferedReader(plain, buffer_size=DIGEST_BUFFER)
    with reading(path):
        if buffered.peek(3)[:3] == BYTE_ORDER_MARK:  # type: ignore[attr-defined]  # BufferedReader has it
            buffered.read(3)
    return buffered


class _Unpacked(io.RawIOBase):
    """What a compressed file holds, as long as there is no more of it than any table packs into so few bytes."""

    def __init__(self, path: Path, stream: Any) -> None:
        self._path, self._stream = path, stream
        self._left = max(_MUCH_UNPACKED, _MOST_UNPACKED * signature(path).size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        taken: int = self._stream.readinto(buffer)
        self._left -= taken
        if self._left < 0:
            raise InputError(
                f"{self._path}: unpacks to more than {_MOST_UNPACKED} times its size; expected a table or scores"
            )
        return taken

    def close(self) -> None:
        self._stream.close()
        super().close()


def create_text_bytes(path: Path, name: str) -> IO[bytes]:
    """A new text file at `path`, compressed as `name` says by its suffix; equal content is equal bytes."""
    import pyarrow as pa

    raw = path.open("wb")  # the caller closes it
    packed = compression(name)
    return pa.output_stream(raw, compression=packed) if packed else raw


def copy_start(path: Path, target: Path, size: int) -> None:
    """Write the first `size` bytes of the file at `path` to the start of the one at `target`.

    Much is put on the disk at once, so that the end of the file need not wait for all of it.

    :raises InputError: the file cannot be read, or has fewer.
    """
    with open_bytes(path) as stream, target.open("r+b", buffering=0) as copy:
        left = size
        while left:
            with reading(path):
                block = stream.read(min(left, DIGEST_BUFFER))
            if not block:
                raise InputError(f"{path}: the file became shorter while it was being read; run again")
            left -= len(block)
            while block:  # a disk that fills up takes a part, and refuses only the rest
                block = block[copy.write(block) :]
        if size > _MUCH_BYTES:
            os.fsync(copy.fileno())


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an OSError of reading `path` into an InputError that names the file."""
    try:
        yield
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {_reason(exc)}") from exc


@contextlib.contextmanager
def replacing(*paths: Path) -> Iterator[list[Path]]:
    """Give a temporary path beside each of `paths`; when the block ends well, each takes its name.

    The files are durable (fsync) before the first takes its name. When the block does not end well nothing
    is left and what stood there still stands. A symbolic link at a path is replaced, not followed. An error that
    names a temporary file names the one that it was to become.

    :raises OutputError: a folder or a file cannot be written.
    """
    temporaries = [
        path.with_name(f".{_short(path.name)}.{_mark()}-{secrets.token_hex(4)}.tmp") for path in paths
    ]
    try:
        with writing(*paths), _named(temporaries, paths):
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir() and not path.is_symlink():
                    raise IsADirectoryError(errno.EISDIR, "found a folder, expected a file or nothing")
            yield temporaries
            for temporary in temporaries:
                _date_back(temporary)
                _sync(temporary)
            for temporary, path in zip(temporaries, paths, strict=True):
                temporary.replace(path)
            for folder in {path.parent for path in paths}:
                _sync(folder)
    finally:
        for temporary in temporaries:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def _named(temporaries: Iterable[Path], paths: Iterable[Path]) -> Iterator[None]:
    try:
        yield
    except InputError as exc:
        said = str(exc)
        for temporary, path in zip(temporaries, paths, strict=True):
            said = said.replace(str(temporary), str(path))
        raise (exc if said == str(exc) else OutputError(said)) from exc


@contextlib.contextmanager
def writing(*paths: Path) -> Iterator[None]:
    """Turn an OSError of writing `paths` into an OutputError that names them."""
    try:
        yield
    except OSError as exc:
        names = " and ".join(str(path) for path in paths)
        raise OutputError(f"{names}: cannot be written: {_reason(exc)}") from exc


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    :raises OutputError: the folder or the file cannot be written.
    """
    with replacing(path) as (temporary,):
        temporary.write_bytes(content)


def holds(path: Path, content: bytes) -> bool:
    """Whether the file at `path` is there and holds just `content`."""
    try:
        return read_bytes(path) == content
    except (InputError, InputMissingError):
        return False


def remove(path: Path) -> None:
    """Remove the file at `path` if it is there.

    :raises OutputError: it is there and stays.
    """
    if os.path.lexists(path):  # a read-only file system refuses to remove even what is not there
        with writing(path):
            path.unlink(missing_ok=True)


def exists(path: Path) -> bool:
    """Whether anything is at `path`, or may be where that cannot be told; False for a name that no file can have."""
    try:
        return path.exists()
    except OSError as exc:
        return exc.errno != errno.ENAMETOOLONG
    except ValueError:
        return False


def is_taken(path: Path) -> bool:
    """Whether anything has that name, be it a link that leads nowhere."""
    return os.path.lexists(path)


def is_file(path: Path) -> bool:
    """Whether a regular file is at `path`; False for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is at `path`; False for a name that no folder can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_name(path: str | Path) -> bool:
    """Whether a file can have that name; False for `.`, `..`, what no file system takes, and a name of two lines.

    Such a name a file system takes, but a message could pass for two by it.
    """
    try:
        encoded = os.fsencode(path)
        whole = len(encoded) < _LONGEST_PATH and not set(b"\0\n") & set(encoded)
        return whole and PurePath(path).name not in ("", "..")
    except UnicodeEncodeError:
        return False


def names(folder: Path) -> list[str]:
    """What is in the folder, sorted; nothing if there is no such folder.

    :raises InputError: it cannot be read.
    """
    return sorted(entry.name for entry in _entries(folder))


def folders(folder: Path) -> list[str]:
    """The folders in `folder`, sorted, but for links to it or to one above it, which have no end.

    :raises InputError: it cannot be read.
    """
    found = (entry for entry in _entries(folder) if stat.S_ISDIR(_mode(Path(entry))))
    return sorted(entry.name for entry in found if not _leads_up(entry))


def holds_file(folder: Path, name: str) -> bool:
    """Whether a regular file of that name is in the folder.

    :raises InputError: that cannot be told, as it may not be read or the disk fails.
    """
    return stat.S_ISREG(_mode(folder / name))


def holds_folder(folder: Path) -> bool:
    """Whether the folder is there.

    :raises InputError: that cannot be told.
    """
    return stat.S_ISDIR(_mode(folder))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError as exc:
        if exc.errno in _ABSENT:
            return []
        raise InputError(f"{folder}: cannot be read: {_reason(exc)}") from exc


def _mode(path: Path) -> int:
    """What kind of thing is at `path`, as `stat` tells; 0: nothing is."""
    try:
        return path.stat().st_mode
    except ValueError:
        return 0
    except OSError as exc:
        if exc.errno in _ABSENT:
            return 0
        raise InputError(f"{path}: cannot be read: {_reason(exc)}") from exc


def identity(folder: Path) -> Identity | None:
    """What a folder is, however it is called; None: it is not there."""
    try:
        found = folder.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _leads_up(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and resolved(Path(entry).parent).is_relative_to(resolved(Path(entry)))


def resolved(path: Path) -> Path:
    """The absolute path that leads through no link; where links lead in a circle, through as few as can be."""
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError for a circle


def relative(path: Path, base: Path) -> str:
    """`path` as reports name it: relative to the folder `base`, with `/`."""
    below = path.parts[len(base.parts) :] if path.is_relative_to(base) else path.parts
    if (
        ".." in below[1:]
    ):  # behind a folder, which may be a link: what is above it is for the file system to say
        path, base = resolved(path.parent) / path.name, resolved(base)
    return Path(os.path.relpath(path, base)).as_posix()


def describe(path: Path, base: Path, sha256: str | None = None) -> FileDescription:
    """`path`, `exists`, `kind` and, for a file, `sha256` (digested here unless given).

    :raises InputError: the file cannot be read.
    """
    with reading(path):
        name = relative(path, base)
        if path.is_dir():
            return {"path": name, "exists": True, "kind": "directory"}
        if not path.exists():
            return {"path": name, "exists": False, "kind": "missing"}
    return {"path": name, "exists": True, "kind": "file", "sha256": sha256 or digest(path)}


def sweep(paths: Iterable[Path]) -> None:
    """Remove what runs that died on this host left beside `paths`: their temporary files."""
    names: dict[Path, set[str]] = {}
    for path in paths:
        names.setdefault(path.parent, set()).add(_short(path.name))
    for folder, wanted in names.items():
        with contextlib.suppress(OSError):
            for found in os.scandir(folder):
                parts = _TEMPORARY.fullmatch(found.name)
                if (
                    parts
                    and parts["name"] in wanted
                    and parts["host"] == host()
                    and not _alive(int(parts["pid"]))
                ):
                    remove(folder / found.name)


def _date_back(path: Path) -> None:
    """Set the file's time of change back by a tick, so that any later change shows in it."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns - TICK_NS))


def _short(name: str) -> str:
    """What stands for a file's name in that of its temporary one, which is longer and has to fit as well."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST_NAME else hashlib.sha256(encoded).hexdigest()[:32]


def open_own(path: Path, flags: int) -> int:
    """A handle of a file of the project's own, which is made if it is not there; a symbolic link is not followed.

    :raises OSError: it cannot be opened.
    """
    try:
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as exc:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "found a symbolic link, expected a file of the project's own") from exc
        raise


def _mark() -> str:
    """Host and process, for the names of temporary files."""
    return f"{host()}-{os.getpid()}"


@functools.cache
def host() -> str:
    """The name of this host, as it may stand in a file's name."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def _alive(pid: int) -> bool:
    """Whether the process runs; one that has ended does not, even before its parent has taken note."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except ProcessLookupError:
        return False
    except OSError:  # another user's, or a system without /proc
        return True
    return state not in (b"Z", b"X")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(exc: Exception) -> str:
    return exc.strerror or str(exc) if isinstance(exc, OSError) else show(str(exc))
