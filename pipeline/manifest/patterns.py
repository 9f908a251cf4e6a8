"""Patterns of file names: `*` matches any part of a name, `**` any folders; neither matches hidden names."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from ..storage import filenames
from ..storage.locations import Location, located, root

_FOLDERS = "**"


class Pattern:
    """A pattern, compared part by part. One regular expression with a few stars could take exponential time."""

    def __init__(self, text: str) -> None:
        self._root = root(text)
        self._parts = [part for part in text.removeprefix(self._root).split("/") if part]
        if self._parts and self._parts[-1] == _FOLDERS:
            self._parts.append("*")
        self._names = [_matcher(part) for part in self._parts]

    def fits(self, path: str) -> bool:
        """True if the pattern matches that path or URI, which begins like it; no file needs to exist."""
        if not path.startswith(self._root):
            return False
        path = path.removeprefix(self._root)
        reached = self._with_skipped({0})
        for name in filter(None, path.split("/")):
            reached = self._with_skipped({after for at in reached for after in self._after(at, name)})
        return len(self._parts) in reached

    def matches(self, base: Location) -> list[str]:
        """The files below `base` that it matches, sorted, with paths that begin like the pattern.

        A folder that `**` reaches several times through links is listed once, under its first path.

        :raises InputError: a folder or file cannot be read, so that some files would be left out.
        """
        found: set[str] = set()
        seen: set[tuple[int, filenames.Identity | None]] = set()
        pending = [(self._root, 0)]
        while pending:
            folder, at = pending.pop()
            if self._is_folders(at):
                state = (at, filenames.identity(located(base, folder)))
                if state not in seen:
                    seen.add(state)
                    inner = filenames.folders_in(located(base, folder))
                    pending += [(f"{folder}{name}/", at) for name in reversed(inner) if name[0] != "."]
                    pending.append((folder, at + 1))
            elif at + 1 < len(self._parts):
                inner = self._folders(at, located(base, folder))
                pending += [(f"{folder}{name}/", at + 1) for name in inner]
            else:
                found.update(f"{folder}{name}" for name in self._files(at, located(base, folder)))
        return sorted(found)

    def _folders(self, at: int, folder: Location) -> list[str]:
        """The folders that the part `at` may match; they are listed only if the part has a star."""
        part = self._parts[at]
        if "*" not in part:
            return [part]
        return [name for name in filenames.folders_in(folder) if self._names[at].fullmatch(name)]

    def _files(self, at: int, folder: Location) -> list[str]:
        """The files that the part `at` matches."""
        part = self._parts[at]
        if "*" in part:
            return filenames.files_in(folder, self._names[at].fullmatch)
        return [part] if filenames.holds_file(folder, part) else []

    def _after(self, at: int, name: str) -> Iterator[int]:
        """The parts that may follow after the part `at` has matched a name."""
        if self._is_folders(at):
            if name[0] != ".":
                yield at
        elif at < len(self._parts) and self._names[at].fullmatch(name):
            yield at + 1

    def _with_skipped(self, reached: set[int]) -> set[int]:
        """`reached`, and the parts after a `**` that matches no folder."""
        for at in sorted(reached):
            while self._is_folders(at):
                at += 1
                reached.add(at)
        return reached

    def _is_folders(self, at: int) -> bool:
        return at < len(self._parts) and self._parts[at] == _FOLDERS


def _matcher(part: str) -> re.Pattern[str]:
    """The regular expression of a part: only stars are special, and a leading star matches no leading dot."""
    visible = r"(?!\.)" if part.startswith("*") else ""
    return re.compile(visible + fnmatch.translate(part.replace("[", "[[]").replace("?", "[?]")))
