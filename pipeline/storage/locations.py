"""Where an input is: at a local path, or at a URI in an object store."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from . import objects
from .objects import ObjectPath

_COLLAPSED = tuple(f"{scheme}:/" for scheme in objects.SCHEMES)

Location: TypeAlias = Path | ObjectPath
"""The place of an input; what is asked of it is asked by `filenames` and `files`."""


def located(base: Path, name: str) -> Location:
    """Where the input is that a manifest or a report names: below the folder `base`, or at a URI."""
    return ObjectPath.of(name) if objects.is_uri(name) else base / name


def is_uri(name: object) -> bool:
    """True if a name is a URI, or one of an object store that `Path` has written with a single slash."""
    return objects.is_uri(str(name)) or str(name).startswith(_COLLAPSED)


def root(pattern: str) -> str:
    """The start of a path or pattern that no star may be in: `/`, `s3://bucket/`, or nothing."""
    if objects.is_uri(pattern):
        return f"{ObjectPath.of(pattern).root}/"
    return "/" if pattern.startswith("/") else ""
