"""Files of the project's own, and the removal of files."""

from __future__ import annotations

import contextlib
import errno
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ...errors import InputError, InputMissingError, OutputError
from .. import filenames, objects
from ..locations import Location
from ..objects import ObjectPath
from . import newfiles
from .whole import guarded

_RACES = 10


def remove(path: Location) -> None:
    """Remove the file at `path` if it exists.

    :raises OutputError: it cannot be removed.
    """
    if isinstance(path, ObjectPath):
        if objects.look(path) is not None:  # who may only read can ask
            objects.remove([path])
    elif os.path.lexists(
        path
    ):  # a read-only file system rejects even the removal of a file that does not exist
        with guarded(path):
            path.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Remove the files in a folder of the project's own; a folder that is not there has none.

    :raises InputError: it cannot be read.
    :raises OutputError: one of them cannot be removed.
    """
    for name in filenames.files_in(folder, bool):
        remove(folder / name)


def sweep(paths: Iterable[Location]) -> None:
    """Remove the temporary files of `paths` that dead runs on this host have left. Of objects nothing is left."""
    names: defaultdict[Path, set[str]] = defaultdict(set)
    for path in paths:
        if isinstance(path, Path):
            names[path.parent].add(path.name)
    for folder, wanted in names.items():
        with contextlib.suppress(OSError):
            for left in newfiles.left_by_dead(folder, wanted):
                remove(left)


def make_folder(path: Location) -> None:
    """Create a folder and those above it. A folder of objects needs none.

    :raises OutputError: it cannot be created.
    """
    if isinstance(path, Path):
        with guarded(path):
            path.mkdir(parents=True, exist_ok=True)


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


def append_line(path: Location, line: bytes) -> None:
    """Add a line to a file of the project's own, which is created if it does not exist.

    :raises OutputError: it cannot be written.
    """
    if isinstance(path, ObjectPath):
        _append_line(path, line)
        return
    with guarded(path), os.fdopen(open_own(path, os.O_WRONLY | os.O_APPEND), "wb") as stream:
        stream.write(line + b"\n")


def _append_line(path: ObjectPath, line: bytes) -> None:
    """Write the object again with one more line; what others add meanwhile stays."""
    for _ in range(_RACES):
        content, etag = b"", None
        try:
            with contextlib.suppress(InputMissingError):
                content, found = objects.read(path)
                etag = found.etag
        except InputError as exc:
            raise OutputError(str(exc)) from exc
        with contextlib.suppress(objects.Conflict):
            objects.put(path, content + line + b"\n", absent=not content, etag=etag)
            return
    raise OutputError(f"{path}: cannot be written: others write it all the time")
