"""Decides whether a JSON object is a map from keys to clips, or one row about one clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pipeline.join.sidecars.shapes import KEY
from pipeline.starter.files.clips import columns_by_text
from pipeline.starter.files.found import Features
from pipeline.starter.files.samples import Sample


def as_maps_or_rows(samples: Sequence[Sample], features: Sequence[Features]) -> Iterator[Sample]:
    """The samples, each as a map or as a row.

    A map has a key of a feature table, or it has several keys that are not in any other file.
    """
    known = columns_by_text(features) if samples else {}
    times = Counter((PurePosixPath(each.name).parent, key) for each in samples for key in set(_keys(each)))
    for each in samples:
        keys = _keys(each)
        is_map = any(key in known or _stem_of(key) in known for key in keys) or (
            len(keys) > 1 and all(times[PurePosixPath(each.name).parent, key] == 1 for key in keys)
        )
        yield each if is_map or each.as_row is None else each.as_row


def _stem_of(key: str) -> str:
    """The last part of a key without its extension."""
    return PurePosixPath(key).stem


def _keys(sample: Sample) -> list[str]:
    held = sample.texts.get(KEY)
    return [] if held is None else held.drop_null().to_pylist()
