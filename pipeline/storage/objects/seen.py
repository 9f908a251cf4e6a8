"""What is known of objects in a block of `seen_once`, so that the store is asked once, and about many at a time."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ...errors import InputError
from . import store
from .paths import ObjectPath
from .store import Found

_MIN_LISTED = 4
"""Fewer paths of a folder are looked at one by one."""

_MAX_LISTED, _MAX_LISTED_TIMES = 2000, 20
_BEGINNING_BYTES, _MAX_BEGINNINGS_BYTES = 1 << 18, 1 << 25


class Seen:
    """What is known of objects and folders."""

    def __init__(self) -> None:
        self._objects: dict[ObjectPath, Found | None] = {}
        self._beginnings: dict[ObjectPath, bytes] = {}
        self._folders: dict[ObjectPath, set[ObjectPath]] = {}
        self._bytes_held = 0

    def look(self, path: ObjectPath) -> Found | None:
        """What the store says of the object; None: it is not there."""
        if path not in self._objects:
            self._objects[path] = store.look(path)
        return self._objects[path]

    def look_into(self, path: ObjectPath) -> None:
        """Look at the object, and keep its first bytes."""
        if path not in self._objects:
            self._objects[path], beginning = store.look_into(path, _BEGINNING_BYTES)
            if self._bytes_held + len(beginning) <= _MAX_BEGINNINGS_BYTES:
                self._bytes_held += len(beginning)
                self._beginnings[path] = beginning

    def beginning(self, path: ObjectPath) -> bytes:
        """Its first bytes, as far as they are known."""
        return self._beginnings.get(path, b"")

    def below(self, folder: ObjectPath) -> set[ObjectPath]:
        """The objects below a folder."""
        for known, paths in self._folders.items():
            if folder == known or _is_below(folder, known):
                return {path for path in paths if _is_below(path, folder)}
        self._folders[folder] = set(store.below(folder)[0])
        return set(self._folders[folder])

    def survey(self, paths: Iterable[ObjectPath]) -> None:
        """Look at many objects; those of one folder are listed together."""
        by_folder: defaultdict[ObjectPath, set[ObjectPath]] = defaultdict(set)
        for path in paths:
            if path not in self._objects:
                by_folder[path.parent].add(path)
        single: list[ObjectPath] = []
        for folder, wanted in by_folder.items():
            single += self._listed(folder, wanted) if len(wanted) >= _MIN_LISTED else wanted
        store.in_parallel(self.look, single)

    def _listed(self, folder: ObjectPath, wanted: set[ObjectPath]) -> list[ObjectPath]:
        """Those of the wanted that a listing of bounded length has not reached."""
        found, is_all = store.below(folder, max(_MAX_LISTED, _MAX_LISTED_TIMES * len(wanted)))
        known = {path: found.get(path) for path in wanted if path in found or is_all}
        self._objects |= known
        return [path for path in wanted if path not in known]

    def take(self, found: Mapping[ObjectPath, Found]) -> None:
        """Remember objects that were listed or written."""
        self._objects |= found
        for path in found:
            self._beginnings.pop(path, None)
            for folder, paths in self._folders.items():
                if _is_below(path, folder):
                    paths.add(path)

    def drop(self, path: ObjectPath) -> None:
        """Forget an object."""
        self._objects.pop(path, None)
        self._beginnings.pop(path, None)
        for paths in self._folders.values():
            paths.discard(path)


_blocks: list[Seen] = []
"""What is known in each block that the process is in. The blocks of two threads may end in any order."""


@contextlib.contextmanager
def seen_once(paths: Iterable[ObjectPath] = (), *, into: bool = False) -> Iterator[Seen]:
    """Look at an object once in this block, whoever asks. A block within the block knows what that one knows.

    :param paths: objects that will be looked at.
    :param into: they will be read too.
    """
    with seen_before(_known() or Seen()) as seen:
        with contextlib.suppress(InputError):  # whoever asks for the object gets the error
            if into:
                store.in_parallel(seen.look_into, paths)
            else:
                seen.survey(paths)
        yield seen


@contextlib.contextmanager
def seen_before(seen: Seen) -> Iterator[Seen]:
    """Know in this block what an earlier block has seen."""
    _blocks.append(seen)  # for the whole process, as threads look at the same objects
    try:
        yield seen
    finally:
        _blocks.remove(seen)


def _known() -> Seen | None:
    """What is known in the innermost block; None: there is none."""
    return next(iter(_blocks[-1:]), None)


def look(path: ObjectPath) -> Found | None:
    """What the store says of the object; None: it is not there.

    :raises InputError: that cannot be found out; the bucket does not exist.
    """
    seen = _known()
    return store.look(path) if seen is None else seen.look(path)


def beginning(path: ObjectPath) -> bytes:
    """The first bytes of an object, as far as they are known."""
    seen = _known()
    return b"" if seen is None else seen.beginning(path)


def below(folder: ObjectPath) -> list[ObjectPath]:
    """The objects below a folder, sorted; those of deeper folders too.

    :raises InputError: it cannot be listed.
    """
    seen = _known()
    return sorted(store.below(folder)[0] if seen is None else seen.below(folder), key=str)


def listed(folder: ObjectPath) -> tuple[list[str], list[str]]:
    """The names of the objects and of the folders in a folder, each sorted; always asked for.

    :raises InputError: it cannot be listed.
    """
    found, folders = store.listed(folder)
    if (seen := _known()) is not None:
        seen.take({folder / name: each for name, each in found.items()})
    return [*found], folders


def take_written(path: ObjectPath, found: Found) -> None:
    """Remember an object that this process has written."""
    if (seen := _known()) is not None:
        seen.take({path: found})


def forget(path: ObjectPath) -> None:
    """Look at the object again when it is next asked for."""
    if (seen := _known()) is not None:
        seen.drop(path)


def put(path: ObjectPath, content: bytes, *, absent: bool = False, etag: str | None = None) -> Found:
    """Write a whole object, see `store.put`."""
    forget(path)
    found = store.put(path, content, absent=absent, etag=etag)
    take_written(path, found)
    return found


def remove(paths: Iterable[ObjectPath]) -> None:
    """Remove objects, see `store.remove`."""
    gone = [*paths]
    for path in gone:
        forget(path)
    store.remove(gone)


def _is_below(path: ObjectPath, folder: ObjectPath) -> bool:
    return str(path).startswith(f"{folder}/")
