"""What a run would do with each table, without writing anything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import BatchError, InputMissingError
from ..manifest.batch import Batch
from ..manifest.entries import TableEntry
from ..records.materialized import Coverage
from ..storage.locations import Location, located
from . import columns
from .large.shards import match_shards
from .matching import MatchedTable, enough_memory, match_table
from .tables import check_representable

EXAMPLES = 5


@dataclass(frozen=True)
class Example:
    """One row as it would be joined.

    Attributes:
        key: the feature key as the table spells it.
        score: in the scorer's own units and direction, if there is one.
        status: `ok`, `bad` or `missing`.
        runtime_ms: milliseconds, if known.
        frames: frames that the score is the mean of, 0 for a scalar score.
    """

    key: str | None
    score: float | None
    status: str
    runtime_ms: float | None
    frames: int


@dataclass(frozen=True)
class ScorerPreview:
    """What one scorer would add to a table: its coverage, and up to five rows, matched ones first."""

    covered: Coverage
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class TablePreview:
    """What a run would make of one table.

    Attributes:
        id: its name.
        key_columns: the columns of the key, the first of which names the clip; none: the keys could not be matched.
        rows: rows of the feature table; None as above.
        scorers: in order of label; none as above.
        notes: what was noted of how the feature table was read.
        error: the error that the table would fail with, or the inputs it would wait for.
    """

    id: str
    key_columns: tuple[str, ...]
    rows: int | None
    scorers: tuple[ScorerPreview, ...]
    error: BatchError | None
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """As in a report: `ok`, `failed` or `waiting`."""
        if self.error is None:
            return "ok"
        return "waiting" if isinstance(self.error, InputMissingError) else "failed"


def preview_batch(batch: Batch) -> Iterator[TablePreview]:
    """Preview the tables one after another; only one is held in memory at a time."""
    return (preview_table(entry, batch.base_dir) for entry in batch.tables)


def preview_table(entry: TableEntry, base: Location) -> TablePreview:
    """What a run would make of one table, and what it would fail with; the inputs are read in full."""
    try:
        _check_inputs(entry, base)
        matched = match_shards(entry, base) if entry.is_sharded else match_table(entry, base)
    except BatchError as exc:
        return TablePreview(entry.id, (), None, (), exc)
    error = _refusal(matched, entry)
    return TablePreview(
        id=entry.id,
        key_columns=matched.features.key_columns,
        rows=matched.found.rows,
        scorers=tuple(_scorers(matched)),
        error=error,
        notes=tuple(matched.notes),
    )


def _check_inputs(entry: TableEntry, base: Location) -> None:
    """:raises InputMissingError: names every input that is not there yet."""
    absent = [f"{field}: {located(base, name)}" for field, name in entry.missing(base)]
    if absent:
        raise InputMissingError(f"not there yet: {', '.join(absent)}")


def _refusal(matched: MatchedTable, entry: TableEntry) -> BatchError | None:
    """What would keep the matched table from being written."""
    try:
        matched.check()
        with enough_memory(entry):
            matched.features.check_data()
            check_representable(entry.out, matched.features)
    except BatchError as exc:
        return exc
    return None


def _scorers(matched: MatchedTable) -> Iterator[ScorerPreview]:
    found = matched.found
    shown = [
        _example_rows(positions, found.kept) for positions in (each.positions for each in found.by_scorer)
    ]
    keys, width = found.side.read() if any(shown) else [], len(columns.APPENDED)
    for index, (covered, rows) in enumerate(zip(matched.covered, shown, strict=True)):
        examples = []
        for row in rows:
            cells = columns.append(found, row, 1).columns[index * width : (index + 1) * width]
            score, status, runtime_ms, frames, _ = (cell[0].as_py() for cell in cells)
            examples.append(Example(keys[row].as_py(), score, status, runtime_ms, frames))
        yield ScorerPreview(covered, tuple(examples))


def _example_rows(positions: pa.Array, kept: pa.Array | None) -> list[int]:
    """The numbers of a few rows that stay: matched ones first, so that a score is seen where there is one."""
    stay = pa.array([True] * len(positions), pa.bool_()) if kept is None else kept
    by_rank = (pc.and_(stay, each) for each in (pc.is_valid(positions), pc.is_null(positions)))
    rows = itertools.chain(*(pc.indices_nonzero(each)[:EXAMPLES].to_pylist() for each in by_rank))
    return sorted(itertools.islice(rows, EXAMPLES))
