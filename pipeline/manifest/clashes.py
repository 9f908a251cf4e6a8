"""Clashes: files that a table or a batch would both read and write, or write twice."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..errors import show
from ..storage import filenames
from ..storage.locations import Location
from ..storage.objects import ObjectPath
from .patterns import Pattern


class FileClaims:
    """Registry of the files a batch reads and writes, keyed by resolved path, used to find clashes."""

    def __init__(self) -> None:
        self._read: dict[str, str] = {}
        self._patterns: list[tuple[Pattern, str]] = []
        self._written: list[tuple[str, str, Location]] = []
        self._kept: list[tuple[str, str]] = []
        self._folders: dict[str, str] = {}

    def read(self, path: Location, name: str) -> None:
        """Register the file at `path` as an input. For a link, its target is an input as well."""
        if isinstance(path, ObjectPath):
            self._read.setdefault(str(path), name)
            return
        resolved = self._resolved(path)
        self._read.setdefault(resolved, name)
        if (target := filenames.link_target(resolved)) is not None:
            self._read.setdefault(target, name)

    def read_all(self, pattern: Location, name: str) -> None:
        """Register every file that `pattern` matches as an input, even if it does not exist yet."""
        self._patterns.append((Pattern(_whole(pattern)), name))

    def written(self, path: Location, name: str) -> None:
        """Register the file at `path` as an output, which replaces a link at that path."""
        self._written.append((self._resolved(path), name, path))

    def kept(self, folder: Location, name: str) -> None:
        """Register a folder of the project's own. No output may be this folder, or be inside it."""
        self._kept.append((self._resolved(folder), name))

    def clashes(self) -> Iterator[str]:
        """A fault for each output that is also an input, or an output under another name."""
        owners: dict[str, str] = {}
        for resolved, name, path in self._written:
            if resolved in self._read:
                yield f"{name}: {show(str(path))} is also read, as {self._read[resolved]}; expected a file of its own"
            elif (reader := self._matching(path)) is not None:
                yield f"{name}: {show(str(path))} would be read, as {reader}; expected a file that it does not match"
            for folder, keeper in self._kept:
                if resolved == folder or resolved.startswith(folder + os.sep):
                    yield f"{name}: {show(str(path))} is inside {keeper}; expected a file of its own"
            if owners.setdefault(resolved, name) != name:
                yield f"{name}: {show(str(path))} is also {owners[resolved]}; expected a file of its own"

    def _matching(self, path: Location) -> str | None:
        full = _whole(path) if self._patterns else ""
        return next((name for pattern, name in self._patterns if pattern.fits(full)), None)

    def _resolved(self, path: Location) -> str:
        """The path with its folder resolved and its last part unchanged; each folder is resolved once."""
        if isinstance(path, ObjectPath):
            return str(path)
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = filenames.real_folder(folder)
        return os.path.join(self._folders[folder], name)  # noqa: PTH118  # texts: Path objects cost a second at 5,000 tables


def _whole(path: Location) -> str:
    """The absolute path, in which links stay, or the URI."""
    return str(path) if isinstance(path, ObjectPath) else os.path.abspath(path)  # noqa: PTH100  # links stay
