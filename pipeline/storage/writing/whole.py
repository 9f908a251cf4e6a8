"""Writing of files, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...errors import OutputError
from .. import filenames
from ..locations import Location
from . import newfiles
from .newfiles import NewFile


@contextlib.contextmanager
def replacing(*paths: Location) -> Iterator[list[NewFile]]:
    """Give a new file for each of `paths`; if the block succeeds, they take their names.

    All are durable before the first takes its name. If the block fails, nothing is left of them, and the old files are
    unchanged.

    :raises OutputError: a folder or a file cannot be written.
    """
    with guarded(*paths), contextlib.ExitStack() as stack:
        created = [newfiles.new_file(path) for path in paths]
        for each in created:  # a signal may come at any time, so what removes a file is there before the file
            stack.callback(each.discard)
        for each in created:
            each.begin()
        yield created
        for each in created:
            each.complete()
        for each in created:
            each.publish()
        for folder in {path.parent for path in paths if isinstance(path, Path)}:
            _sync(folder)


@contextlib.contextmanager
def guarded(*paths: Location) -> Iterator[None]:
    """Turn an OSError of writing `paths` into an OutputError that names them."""
    try:
        yield
    except OSError as exc:
        names = " and ".join(str(path) for path in paths)
        raise OutputError(f"{names}: cannot be written: {filenames.reason(exc)}") from exc


def write_whole(path: Location, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    :raises OutputError: the folder or the file cannot be written.
    """
    write_together({path: content})


def write_together(contents: Mapping[Location, bytes]) -> list[NewFile]:
    """Write several files with their contents, all or none; gives them as they were written.

    :raises OutputError: a folder or a file cannot be written.
    """
    with replacing(*contents) as created:
        for each, content in zip(created, contents.values(), strict=True):
            each.write(content)
    return created


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
