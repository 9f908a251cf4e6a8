"""What has a name: whether it exists, what a folder holds, what a path leads to."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePath
from typing import TypeAlias

from pipeline.errors import InputError, show

_MAX_PATH_BYTES = 4096
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}  # no file can be there
Identity: TypeAlias = tuple[int, int]
"""Device and inode number of a folder or file."""


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
        whole = len(encoded) < _MAX_PATH_BYTES and not set(b"\0\n") & set(encoded)
        return whole and PurePath(path).name not in ("", "..")
    except UnicodeEncodeError:
        return False


def names_in(folder: Path) -> list[str]:
    """What is in the folder, sorted; nothing if there is no such folder.

    :raises InputError: it cannot be read.
    """
    return sorted(entry.name for entry in _entries(folder))


def folders_in(folder: Path) -> list[str]:
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


def identity(folder: Path) -> Identity | None:
    """What a folder is, however it is called; None: it is not there."""
    try:
        found = folder.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def resolved(path: Path) -> Path:
    """The absolute path that leads through no link; where links lead in a circle, through as few as can be."""
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError for a circle


def link_target(path: str) -> str | None:
    """What the symbolic link at `path` leads to in the end; None: no link is there.

    As text, as `real_folder` too: Path objects cost a second at 5,000 tables.
    """
    return os.path.realpath(path) if os.path.islink(path) else None  # noqa: PTH114


def real_folder(folder: str) -> str:
    """The absolute path of the folder through no link; a name that no folder can have is returned as it is."""
    try:
        return os.path.realpath(folder) if is_name(f"{folder}/name") else folder
    except (OSError, ValueError):
        return folder


def relative(path: Path, base: Path) -> str:
    """`path` as reports name it: relative to the folder `base`, with `/`."""
    below = path.parts[len(base.parts) :] if path.is_relative_to(base) else path.parts
    if (
        ".." in below[1:]
    ):  # behind a folder, which may be a link: what is above it is for the file system to say
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
    """What kind of thing is at `path`, as `stat` tells; 0: nothing is."""
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
    """Why a call to the file system failed, in the system's words."""
    return exc.strerror or str(exc) if isinstance(exc, OSError) else show(str(exc))
