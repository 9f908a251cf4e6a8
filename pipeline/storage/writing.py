"""Writing of files, whole or not at all, and removal of temporary files that dead runs have left."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import re
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from ..errors import InputError, OutputError
from . import filenames, files
from .locations import Location

_MIN_SYNCED_BYTES = 1 << 26
_MAX_NAME_BYTES = 150  # no file system accepts more than 255, and the host takes up to 64
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<host>[A-Za-z0-9_]*)-(?P<pid>\d+)-[0-9a-f]{8}\.tmp")


@contextlib.contextmanager
def replacing(*paths: Path) -> Iterator[list[Path]]:
    """Give a temporary path beside each of `paths`; if the block succeeds, the files are renamed to `paths`.

    The files are durable (fsync) before the first is renamed. If the block fails, the temporary files are removed and
    the old files are unchanged. A symbolic link at a path is replaced, not followed. Errors name the
    output instead of its temporary file.

    :raises OutputError: a folder or a file cannot be written.
    """
    temporaries = [
        path.with_name(f".{_short(path.name)}.{_mark()}-{secrets.token_hex(4)}.tmp") for path in paths
    ]
    try:
        with guarded(*paths), _named(temporaries, paths):
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
        message = str(exc)
        for temporary, path in zip(temporaries, paths, strict=True):
            message = message.replace(str(temporary), str(path))
        raise (exc if message == str(exc) else OutputError(message)) from exc


@contextlib.contextmanager
def guarded(*paths: Path) -> Iterator[None]:
    """Turn an OSError of writing `paths` into an OutputError that names them."""
    try:
        yield
    except OSError as exc:
        names = " and ".join(str(path) for path in paths)
        raise OutputError(f"{names}: cannot be written: {filenames.reason(exc)}") from exc


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    :raises OutputError: the folder or the file cannot be written.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write several files with their contents, all or none.

    :raises OutputError: a folder or a file cannot be written.
    """
    with replacing(*contents) as temporaries:
        for temporary, content in zip(temporaries, contents.values(), strict=True):
            fill(temporary, content)


def fill(temporary: Path, content: bytes) -> None:
    """Write all of a temporary file of `replacing`.

    :raises OSError: it cannot be written; `replacing` reports it under the name of the output.
    """
    temporary.write_bytes(content)


def create(temporary: Path, *, readable: bool = False) -> IO[bytes]:
    """A temporary file of `replacing`, new and open for writing, also for reading if `readable`; the caller closes it.

    :raises OSError: it cannot be created; `replacing` reports it under the name of the output.
    """
    return temporary.open("w+b" if readable else "wb")


def copy_start(path: Location, target: Path, size: int) -> None:
    """Write the first `size` bytes of the file at `path` to the start of the one at `target`.

    Large copies are made durable here, so that the final fsync of the file is short.

    :raises InputError: the file cannot be read, or is shorter.
    """
    with files.open_bytes(path) as stream, target.open("r+b", buffering=0) as copy:
        left = size
        while left:
            with files.reading(path):
                block = stream.read(min(left, files.DIGEST_BUFFER))
            if not block:
                raise InputError(f"{path}: the file became shorter while it was being read; run again")
            left -= len(block)
            while block:  # a disk that fills up accepts a part and rejects the rest
                block = block[copy.write(block) :]
        if size > _MIN_SYNCED_BYTES:
            os.fsync(copy.fileno())


def remove(path: Path) -> None:
    """Remove the file at `path` if it exists.

    :raises OutputError: it cannot be removed.
    """
    if os.path.lexists(
        path
    ):  # a read-only file system rejects even the removal of a file that does not exist
        with guarded(path):
            path.unlink(missing_ok=True)


def sweep(paths: Iterable[Path]) -> None:
    """Remove the temporary files of `paths` that dead runs on this host have left."""
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


def open_own(path: Path, flags: int) -> int:
    """Open a file of the project's own, which is created if it does not exist. A symbolic link is not followed.

    :raises OSError: it cannot be opened.
    """
    try:
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as exc:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "found a symbolic link, expected a file of the project's own") from exc
        raise


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file of the project's own, which is created if it does not exist.

    :raises OutputError: it cannot be written.
    """
    with guarded(path), os.fdopen(open_own(path, os.O_WRONLY | os.O_APPEND), "wb") as stream:
        stream.write(line + b"\n")


@functools.cache
def host() -> str:
    """The name of this host, in characters that every file system accepts."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def _date_back(path: Path) -> None:
    """Set the file's mtime back by a tick, so that any later change gives another mtime."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns - files.TICK_NS))


def _short(name: str) -> str:
    """The part of a temporary file's name that identifies the output: its name, or a digest of a long name."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _MAX_NAME_BYTES else hashlib.sha256(encoded).hexdigest()[:32]


def _mark() -> str:
    """Host and process, for the names of temporary files."""
    return f"{host()}-{os.getpid()}"


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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
