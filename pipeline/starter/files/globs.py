"""A pattern for some files of a folder that matches them and no others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from ...manifest.entries import SidecarEntry
from ...manifest.patterns import Pattern
from ...storage.locations import Location
from .names import common_start, extension


def glob_for(folder: Location, names: Sequence[str], reserved: Sequence[str]) -> str | None:
    """The simplest pattern that matches these files below a folder and no others; None if there is none.

    :param reserved: files that a run will write; the pattern must not match them either.
    """
    for pattern in _candidates(names):
        matched = [name for name, _ in SidecarEntry(pattern).files(folder)]
        if sorted(matched) == sorted(names) and not any(map(Pattern(pattern).fits, reserved)):
            return pattern
    return None


def others_of(folder: Location, names: Sequence[str], reserved: Sequence[str]) -> list[str]:
    """The other files that the simplest pattern for these files matches."""
    pattern = next(_candidates(names))
    matched = {name for name, _ in SidecarEntry(pattern).files(folder)}
    return sorted(matched.union(filter(Pattern(pattern).fits, reserved)) - set(names))


def _candidates(names: Sequence[str]) -> Iterator[str]:
    lasts = [PurePosixPath(name).name for name in names]
    folders = [PurePosixPath(name).parent for name in names]
    if len(set(folders)) == 1:
        yield from (str(folders[0] / last) for last in _stars(lasts))
        return
    if len({(len(each.parts), last) for each, last in zip(folders, lasts, strict=True)}) == 1:
        yield "/".join((*_starred(folders), lasts[0]))
    common = os.path.commonpath([str(each) for each in folders])
    yield from (str(PurePosixPath(common) / "**" / last) for last in _stars(lasts))


def _starred(folders: Sequence[PurePosixPath]) -> list[str]:
    """The parts of folders of equal depth, with a star for each part that differs."""
    return [
        parts[0] if len(set(parts)) == 1 else "*"
        for parts in zip(*(each.parts for each in folders), strict=True)
    ]


def _stars(lasts: Sequence[str]) -> Iterator[str]:
    """Patterns of file names with a star, the shortest first."""
    begins = common_start(lasts)
    ends = common_start([last[::-1] for last in lasts])[::-1]
    formats = {extension(last) for last in lasts}
    form = formats.pop() if len(formats) == 1 else ""
    for tail in dict.fromkeys((form, ends)):
        yield from dict.fromkeys((f"*{tail}", f"{begins}*{tail}"))
