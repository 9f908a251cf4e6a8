"""Names of files: the format, and names for tables and scorers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from ...manifest.declarations import slug
from ...storage.formats import COMPRESSIONS, table_format

_MAX_BOUNDARIES = 64
UNNAMED = "scorer"
"""The name of a scorer if no better one is found."""

_GENERAL_NAMES = frozenset(
    {
        *("features", "feature", "feats", "scores", "score", "results", "result", "predictions", "pred"),
        *(
            "preds",
            "output",
            "outputs",
            "out",
            "data",
            "log",
            "logs",
            "report",
            "reports",
            "sidecar",
            "sidecars",
        ),
        *("json", "jsonl", "csv", "tsv", "parquet", "metrics", "clip", "clips", "video", "videos"),
        *("mp4", "mkv", "mov", "avi", "webm", "yuv", "y4m"),
    }
)


def extension(name: str) -> str:
    """The extension of a known format, as it is spelled, such as `.json.gz`; empty if there is none."""
    if table_format(name) is None:
        return ""
    path = PurePosixPath(name)
    end = path.suffix
    return PurePosixPath(path.stem).suffix + end if end.lower() in COMPRESSIONS else end


def stem(name: str) -> str:
    """The last part of a path without its extension; other dots belong to the name."""
    return PurePosixPath(name).name.removesuffix(extension(name))


def own_name(name: str) -> str:
    """The name of a file without extension and general word behind a dot: `shard_1` for `shard_1.features.csv`."""
    called = stem(name)
    while (parts := called.rpartition("."))[1] and parts[0] and is_general(parts[2]):
        called = parts[0]
    return called


def is_general(name: str) -> bool:
    """True if a name is too general to identify a table or a scorer."""
    return trimmed(name).lower() in _GENERAL_NAMES


def trimmed(name: str) -> str:
    """A name without the signs at its ends: `vmaf` for `_vmaf`."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", name)


def folder_name(name: str) -> str | None:
    """The nearest folder above a file or pattern whose name is not general."""
    folders = reversed(PurePosixPath(name).parent.parts)
    return next((each for each in folders if "*" not in each and not is_general(each) and _fits(each)), None)


def scorer_name(name: str) -> str:
    """A name for the scorer of a sidecar: the name of its file, or of a folder if the former is general."""
    own = own_name(name)
    if "*" not in own and not is_general(own) and _fits(own):
        return own
    return folder_name(name) or (own if "*" not in own and _fits(own) else UNNAMED)


def first_fit(*candidates: str | None) -> str | None:
    """The first of the names that is valid for a scorer and not general."""
    return next((each for each in candidates if each and not is_general(each) and _fits(each)), None)


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """The parts of a text that do not begin or end within a word or number."""
    bounds = [
        at
        for at in range(len(text) + 1)
        if at in (0, len(text)) or not (text[at - 1].isalnum() and text[at].isalnum())
    ]
    bounds = bounds[-_MAX_BOUNDARIES:]
    return ((start, end) for at, start in enumerate(bounds) for end in bounds[at + 1 :])


def common_start(texts: Sequence[str]) -> str:
    """The common start of the texts."""
    first, last = min(texts), max(texts)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(character for character, _ in same)


def _fits(name: str) -> bool:
    return bool(slug(name)) and name.isprintable() and "=" not in name
