"""Names of files and folders: whether they exist, what a folder contains, the targets of links."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import re
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TypeAlias

from ..errors import InputError, show
from . import locations, objects
from .locations import Location, is_uri
from .objects import ObjectPath

_MAX_PATH_BYTES = 4096
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}  # no file can have this path
Identity: TypeAlias = tuple[int, int] | str
"""Device and inode number of a folder or file; the URI of a folder of objects."""


def input_fault(name: str) -> str | None:
    """What is wrong with the name of an input: what was found, what is expected. None: nothing."""
    if objects.is_uri(name):
        return objects.uri_fault(name)
    return None if is_name(name) else f"found {show(name)}; expected the name of a file"


def output_fault(name: str | Location) -> str | None:
    """What is wrong with the name of an output, see `input_fault`; a star is part of no output's name in a store."""
    if is_uri(name):
        uri = str(locations.given(str(name)))
        fault = objects.uri_fault(uri)
        return (
            f"found {show(uri)}; expected no * in the URI of an output" if not fault and "*" in uri else fault
        )
    return None if is_name(name) else f"found {show(str(name))}; expected the name of a file"


def folder_fault(uri: str) -> str | None:
    """What is wrong with the URI of a folder, see `input_fault`: it may also be a whole bucket."""
    place = str(locations.given(uri))
    return objects.uri_fault(place if "/" in place.partition("://")[2] else f"{place}/name")


def exists(path: Location) -> bool:
    """True if anything is at `path`, or if that cannot be found out. False for a name that no file can have."""
    if isinstance(path, ObjectPath):
        return _is_object(path, unknown=True)
    try:
        return path.exists()
    except OSError as exc:
        return exc.errno != errno.ENAMETOOLONG
    except ValueError:
        return False


def is_taken(path: Location) -> bool:
    """True if anything is at `path`, even a broken link."""
    if isinstance(path, ObjectPath):
        return objects.look(path) is not None
    return os.path.lexists(path)


def is_file(path: Location) -> bool:
    """True if a regular file is at `path`. False for a name that no file can have, and for a pattern of objects."""
    if isinstance(path, ObjectPath):
        return "*" not in path.key and _is_object(path, unknown=False)
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Location) -> bool:
    """True if a folder is at `path`. False for a name that no folder can have, and in a store, where folders do not exist."""
    if isinstance(path, ObjectPath):
        return False
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_name(path: str | Location) -> bool:
    """True if a file can have that name. False for `.`, `..`, names that no file system accepts, and names of two lines.

    File systems accept a name of two lines, but it would make one message look like two.
    """
    try:
        encoded = os.fsencode(str(path))
        whole = len(encoded) < _MAX_PATH_BYTES and not set(b"\0\n") & set(encoded)
        return whole and PurePath(str(path)).name not in ("", "..")
    except UnicodeEncodeError:
        return False


def names_in(folder: Path) -> list[str]:
    """The names in the local folder, sorted; none if the folder does not exist.

    :raises InputError: it cannot be read.
    """
    return sorted(entry.name for entry in _entries(folder))


def files_in(folder: Location, wanted: Callable[[str], object]) -> list[str]:
    """The wanted names of the regular files in the folder, sorted; none if the folder does not exist.

    :raises InputError: it cannot be read.
    """
    if isinstance(folder, ObjectPath):
        return [name for name in objects.listed(folder)[0] if wanted(name)]
    names = sorted(entry.name for entry in _entries(folder) if wanted(entry.name))
    return [name for name in names if holds_file(folder, name)]


def folders_in(folder: Location) -> list[str]:
    """The names of the folders in `folder`, sorted. Links to it or to a folder above it are left out, as they have no end.

    :raises InputError: it cannot be read.
    """
    if isinstance(folder, ObjectPath):
        return objects.listed(folder)[1]
    found = (entry for entry in _entries(folder) if stat.S_ISDIR(_mode(Path(entry))))
    return sorted(entry.name for entry in found if not _leads_up(entry))


def holds_file(folder: Location, name: str) -> bool:
    """True if a regular file of that name is in the folder.

    :raises InputError: that cannot be found out, for lack of permission or because the disk fails.
    """
    if isinstance(folder, ObjectPath):
        return objects.look(folder / name) is not None
    return stat.S_ISREG(_mode(folder / name))


def holds_folder(folder: Location) -> bool:
    """True if the folder exists; in a store every folder does.

    :raises InputError: that cannot be found out.
    """
    if isinstance(folder, ObjectPath):
        return True
    return stat.S_ISDIR(_mode(folder))


def identity(folder: Location) -> Identity | None:
    """The identity of a folder, the same under all of its names; None if it does not exist."""
    if isinstance(folder, ObjectPath):
        return str(folder)
    try:
        found = folder.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def resolved(path: Location) -> Location:
    """The absolute path without links; links that form a circle stay in it. A URI is its own."""
    if isinstance(path, ObjectPath):
        return path
    return _real(path)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError for a circle


def link_target(path: str) -> str | None:
    """The final target of the symbolic link at `path`; None if there is no link.

    It takes and returns texts, like `real_folder`: Path objects would cost a second for 5,000 tables.
    """
    return os.path.realpath(path) if os.path.islink(path) else None  # noqa: PTH114


def real_folder(folder: str) -> str:
    """The absolute path of the folder without links; a name that no folder can have is returned unchanged."""
    try:
        return os.path.realpath(folder) if is_name(f"{folder}/name") else folder
    except (OSError, ValueError):
        return folder


def address(path: Location) -> tuple[str, str]:
    """Where a file is and its name there: `file` and its absolute path; scheme with bucket, and the object's name."""
    if isinstance(path, ObjectPath):
        return path.root, path.key
    return "file", str(_real(path.parent) / path.name)


def relative(path: Location, base: Location) -> str:
    """`path` as reports name it: relative to the folder `base`, with `/`; what is elsewhere by its URI or absolute path."""
    if isinstance(path, ObjectPath):
        return path.relative_to(base) if isinstance(base, ObjectPath) else str(path)
    if isinstance(base, ObjectPath):
        return str(path)
    below = path.parts[len(base.parts) :] if path.is_relative_to(base) else path.parts
    if ".." in below[1:]:  # the folder before `..` may be a link, so only the file system knows its parent
        path, base = _real(path.parent) / path.name, _real(base)
    return Path(os.path.relpath(path, base)).as_posix()


def scratch_folder(purpose: str) -> Path:
    """The folder of this user and host for files that belong to something in a store; no other user may write to it."""
    named = hashlib.sha256(purpose.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"second-opinion-{os.getuid()}" / named


@functools.cache
def host() -> str:
    """The name of this host, in characters that every file system accepts."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError as exc:
        if exc.errno in _ABSENT:
            return []
        raise InputError(f"{folder}: cannot be read: {reason(exc)}") from exc


def _mode(path: Path) -> int:
    """The `st_mode` of what is at `path`; 0 if nothing is."""
    try:
        return path.stat().st_mode
    except ValueError:
        return 0
    except OSError as exc:
        if exc.errno in _ABSENT:
            return 0
        raise InputError(f"{path}: cannot be read: {reason(exc)}") from exc


def _leads_up(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and _real(Path(entry).parent).is_relative_to(_real(Path(entry)))


def reason(exc: Exception) -> str:
    """The system's message about a failed call to the file system."""
    return exc.strerror or str(exc) if isinstance(exc, OSError) else show(str(exc))


def _is_object(path: ObjectPath, *, unknown: bool) -> bool:
    """:param unknown: what to say if that cannot be found out."""
    try:
        return objects.look(path) is not None
    except InputError:
        return unknown
