"""The score record: one scorer's result for one clip. As a row, and as columns per scorer and file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from ..keys import Side

RECORD = pa.schema(
    [
        ("key", pa.string()),
        ("score", pa.float64()),
        ("bad", pa.bool_()),
        ("runtime_ms", pa.float64()),
        ("frames", pa.int32()),
    ]
)
"""Columns of score records: the comparable key, never null, and fields of `ScoreRow`."""

NUMBERED = RECORD.append(pa.field("number", pa.int32()))
"""Score records with the number of their line or row in the file, from 1."""


@dataclass(slots=True)
class ScoreRow:
    """One scorer's result for one clip.

    Attributes:
        label: the scorer's name.
        key_field: the field that held the key.
        key: the clip's key as the row spells it.
        score: in the scorer's own units and direction; None: it has none (a `bad` row only).
        bad: true if the scorer reported a failure on this clip.
        runtime_ms: the scorer's run time in milliseconds; None: unknown.
        frames: number of frames the score is the mean of; 0 for a scalar score.
        aspect: position of the score among those of the file's row, from 0.
    """

    label: str
    key_field: str
    key: str
    score: float | None
    bad: bool
    runtime_ms: float | None
    frames: int
    aspect: int = 0


@dataclass(frozen=True)
class Scores:
    """The records of one scorer in one sidecar file that have their keys in the same field.

    Attributes:
        label: the scorer's name.
        source: the sidecar as the manifest names it.
        location: the file and the unit of its row numbers: `chug/dover.jsonl line`.
        key_field: the field that holds the keys.
        key_regex: the side's key regex.
        records: the score records (`RECORD`).
        recall: reads the file again; gives the records with their keys as the file spells them (`NUMBERED`).
        bad_statuses: reads the file again; gives the number of the scorer's rows per status other than ok.
        note: a note for the user on how the file was read; None: there is none.
    """

    label: str
    source: str
    location: str
    key_field: str
    key_regex: str | None
    records: pa.RecordBatch
    recall: Callable[[], pa.Table]
    bad_statuses: Callable[[], Counter[str]] = Counter
    note: str | None = None

    @property
    def keys(self) -> pa.Array:
        """The comparable keys (string)."""
        return self.records["key"]

    @property
    def side(self) -> Side:
        """The keys as the file spells them."""
        return Side(self.key_field, self.key_regex, lambda: [self.recall()["key"].combine_chunks()])
