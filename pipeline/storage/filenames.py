"""Names of files and folders: whether they exist, what a folder contains, the targets of links."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePath
from typing import TypeAlias

from pipeline.errors import InputError, show

_MAX_PATH_BYTES = 4096
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}  # no file can have this path
Identity: TypeAlias = tuple[int, int]
"""Device and inode number of a folder or file."""


def exists(path: Path) -> bool:
    """True if anything is at `path`, or if that cannot be found out. False for a name that no file can have."""
    try:
        return path.exists()
    except OSError as exc:
        return exc.errno != errno.ENAMETOOLONG
    except ValueError:
        return False


def is_taken(path: Path) -> bool:
    """True if anything is at `path`, even a broken link."""
    return os.path.lexists(path)


def is_file(path: Path) -> bool:
    """True if a regular file is at `path`. False for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """True if a folder is at `path`. False for a name that no folder can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_name(path: str | Path) -> bool:
    """True if a file can have that name. False for `.`, `..`, names that no file system accepts, and names of two lines.

    File systems accept a name of two lines, but it would make one message look like two.
    """
    try:
        encoded = os.fsencode(path)
        whole = len(encoded) < _MAX_PATH_BYTES and not set(b"\0\n") & set(encoded)
        return whole and PurePath(path).name not in ("", "..")
    except UnicodeEncodeError:
        return False


def names_in(folder: Path) -> list[str]:
    """The names in the folder, sorted; none if the folder does not exist.

    :raises InputError: it cannot be read.
    """
    return sorted(entry.name for entry in _entries(folder))


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted. Links to it or to a folder above it are left out, as they have no end.

    :raises InputError: it cannot be read.
    """
    found = (entry for entry in _entries(folder) if stat.S_ISDIR(_mode(Path(entry))))
    return sorted(entry.name for entry in found if not _leads_up(entry))


def holds_file(folder: Path, name: str) -> bool:
    """True if a regular file of that name is in the folder.

    :raises InputError: that cannot be found out, for lack of permission or because the disk fails.
    """
    return stat.S_ISREG(_mode(folder / name))


def holds_folder(folder: Path) -> bool:
    """True if the folder exists.

    :raises InputError: that cannot be found out.
    """
    return stat.S_ISDIR(_mode(folder))


def identity(folder: Path) -> Identity | None:
    """The identity of a folder, the same under all of its names; None if it does not exist."""
    try:
        found = folder.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def resolved(path: Path) -> Path:
    """The absolute path without links; links that form a circle stay in it."""
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


def relative(path: Path, base: Path) -> str:
    """`path` as reports name it: relative to the folder `base`, with `/`."""
    below = path.parts[len(base.parts) :] if path.is_relative_to(base) else path.parts
    if ".." in below[1:]:  # the folder before `..` may be a link, so only the file system knows its parent
        path, base = resolved(path.parent) / path.name, resolved(base)
    return Path(os.path.relpath(path, base)).as_posix()


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
    return entry.is_symlink() and resolved(Path(entry).parent).is_relative_to(resolved(Path(entry)))


def reason(exc: Exception) -> str:
    """The system's message about a failed call to the file system."""
    return exc.strerror or str(exc) if isinstance(exc, OSError) else show(str(exc))
