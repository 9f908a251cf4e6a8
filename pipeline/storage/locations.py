"""Where a file is: at a local path, or at a URI in an object store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from . import objects
from .objects import ObjectPath

_COLLAPSED = tuple(f"{scheme}:/" for scheme in objects.SCHEMES)

Location: TypeAlias = Path | ObjectPath
"""The place of a file or folder; what is asked of it is asked by `filenames`, `files` and `writing`."""


def located(base: Location, name: str) -> Location:
    """Where the file is that a manifest or a report names: below the folder `base`, or at a URI or an absolute path."""
    if objects.is_uri(name):
        return ObjectPath.of(name)
    return Path(name) if name.startswith("/") else base / name


def given(name: str | os.PathLike[str] | ObjectPath) -> Location:
    """The place that a user names; a URI that `Path` has written with a single slash is that URI."""
    if isinstance(name, ObjectPath):
        return name
    text = os.fspath(name)
    if text.startswith(_COLLAPSED) and not objects.is_uri(text):
        text = text.replace(":/", "://", 1)
    return ObjectPath.of(text) if objects.is_uri(text) else Path(text)


def is_uri(name: object) -> bool:
    """True if a name is a URI, or one of an object store that `Path` has written with a single slash."""
    return objects.is_uri(str(name)) or str(name).startswith(_COLLAPSED)


def root(pattern: str) -> str:
    """The start of a path or pattern that no star may be in: `/`, `s3://bucket/`, or nothing."""
    if objects.is_uri(pattern):
        return f"{ObjectPath.of(pattern).root}/"
    return "/" if pattern.startswith("/") else ""
