"""One sidecar -> score records in columns, one set per scorer."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.blocks import SCORED, Plain, read_plain
from pipeline.crew import Crew
from pipeline.entries import ScoreEntry, slug
from pipeline.errors import Faults, InputMissingError, SidecarError, count, show
from pipeline.formats import SIDECAR_EXTENSIONS, sidecar_format
from pipeline.keys import KeyRule, Side
from pipeline.options import JoinOptions
from pipeline.rows import Block, Row, RowFault, read_blocks, read_rows, rows_of, unit
from pipeline.scorerows import RowReader, ScoreRow


@dataclass(frozen=True)
class Scores:
    """The rows of one scorer in one sidecar file whose keys stand under one field; columns of one length.

    Attributes:
        label: the scorer's name.
        source: the sidecar as the manifest names it.
        place: the file and what `numbers` count: `chug/dover.jsonl line`.
        side: the keys as they came.
        keys: the comparable keys (string), none null.
        score: float64, in the scorer's own units and direction, null where a bad row has none.
        bad: bool, whether the scorer says that it failed.
        runtime_ms: float64, milliseconds, null where unknown.
        frames: int64, frames averaged.
        numbers: int64, line or row in the file.
    """

    label: str
    source: str
    place: str
    side: Side
    keys: pa.Array
    score: pa.Array
    bad: pa.Array
    runtime_ms: pa.Array
    frames: pa.Array
    numbers: pa.Array


@dataclass
class _Gathered:
    """The rows of one scorer on their way into columns: batches as they came, and single rows."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: list[ScoreRow] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def columns(self, place: str, key_field: str, faults: Faults) -> pa.Table:
        """All rows (`SCORED`) in the order of the file."""
        single = [
            _texts(self, place, key_field, faults),
            *([getattr(row, name) for row in self.rows] for name in ("score", "bad", "runtime_ms", "frames")),
            self.numbers,
        ]
        arrays = [pa.array(values, kind) for values, kind in zip(single, SCORED.types, strict=True)]
        table = pa.Table.from_batches([*self.batches, pa.record_batch(arrays, schema=SCORED)])
        if self.batches and self.rows:
            table = table.take(pc.sort_indices(table["number"]))
        return table.combine_chunks()


def read_sidecar(entry: ScoreEntry, base: Path, options: JoinOptions) -> list[Scores]:
    """The scores of one sidecar, which a pattern may spread over many files.

    :raises InputMissingError: a file is not there yet, or a pattern matches none.
    :raises SidecarError: with every faulty row of the sidecar counted and the first ten shown.
    """
    named = entry.files(base)
    if not named:
        raise InputMissingError(f"{entry.path}: no file matches yet, below {base}")
    faults = Faults()
    reader = RowReader(entry, options)
    found = [
        scores for name, path in named for scores in _File(entry, name, reader, options, faults).read(path)
    ]
    if faults.count:
        raise SidecarError(
            faults.message(f"{entry.path}: {count(faults.count, 'faulty row')} in the sidecar")
        )
    if not found and not reader.labels():
        raise SidecarError(
            f"{entry.path}: found no row, and no label names a scorer; expected at least one row"
        )
    named_slugs = {slug(scores.label) for scores in found}
    return found + [_empty(entry, label) for label in reader.labels() if slug(label) not in named_slugs]


class _File:
    """One file of a sidecar, and what has been read of it."""

    def __init__(
        self, entry: ScoreEntry, name: str, reader: RowReader, options: JoinOptions, faults: Faults
    ) -> None:
        form = sidecar_format(name, entry.format)
        if form is None:
            raise SidecarError(
                f"{name}: expected one of {', '.join(SIDECAR_EXTENSIONS)}, or a format in the entry"
            )
        self._entry, self._name, self._reader, self._options, self._faults = (
            entry,
            name,
            reader,
            options,
            faults,
        )
        self._form = form
        self._place = f"{name} {unit(form)}"
        self._gathered: dict[tuple[str, str], _Gathered] = defaultdict(_Gathered)

    def read(self, path: Path) -> list[Scores]:
        """The scores in the file, per scorer and key field, in the order of their first rows."""
        if self._form == "jsonl":
            with Crew() as crew:
                for block, plain in crew.each(self._read_plain, read_blocks(path)):
                    self._take_block(block, plain)
        else:
            self._take_rows(read_rows(path, self._form))
        found = [self._scores(*of, held) for of, held in self._gathered.items()]
        # The order does not depend on which rows were read at once.
        return sorted(found, key=lambda scores: int(scores.numbers[0].as_py()))

    def _read_plain(self, block: Block) -> tuple[Block, Plain | None]:
        return block, read_plain(block, self._reader)

    def _take_block(self, block: Block, plain: Plain | None) -> None:
        if plain is None:
            self._take_rows(rows_of(block.lines()))
            return
        for label, batch in plain.scored:
            self._gathered[label, plain.key_field].batches.append(batch)
        self._take_rows(rows_of(block.lines(plain.left)))

    def _take_rows(self, rows: Iterable[tuple[int, Row | RowFault]]) -> None:
        for number, row in rows:
            try:
                if isinstance(row, RowFault):
                    raise row
                for score in self._reader.read(row, self._name):
                    held = self._gathered[score.label, score.key_field]
                    held.rows.append(score)
                    held.numbers.append(number)
            except RowFault as fault:
                self._faults.add(f"{self._place} {number}: {fault}")

    def _scores(self, label: str, key_field: str, held: _Gathered) -> Scores:
        columns = held.columns(self._place, key_field, self._faults)
        raw, score, bad, runtime_ms, frames, numbers = (column.chunk(0) for column in columns.columns)
        rule = KeyRule.of(self._options.key_normalize, key_field, self._options.score_key_regex)
        comparable = rule.apply(raw)
        for row in pc.indices_nonzero(comparable.is_null()).to_pylist():
            place = f"{self._place} {numbers[row]}: field {key_field}"
            self._faults.add(functools.partial(_no_key, place, raw[row].as_py(), rule))
        return Scores(
            label=label,
            source=self._entry.path,
            place=self._place,
            side=Side(key_field, raw, self._options.score_key_regex),
            keys=comparable,
            score=score,
            bad=bad,
            runtime_ms=runtime_ms,
            frames=frames,
            numbers=numbers,
        )


def _texts(held: _Gathered, place: str, key_field: str, faults: Faults) -> pa.Array:
    keys = [row.key for row in held.rows]
    try:
        return pa.array(keys, pa.string())
    except UnicodeEncodeError:
        for number, key in zip(held.numbers, keys, strict=True):
            if not key.isascii() and key != key.encode("utf-8", "replace").decode("utf-8"):
                faults.add(f"{place} {number}: field {key_field}: found {show(key)}; expected Unicode text")
        return pa.array([key.encode("utf-8", "replace").decode("utf-8") for key in keys], pa.string())


def _no_key(where: str, raw: str, rule: KeyRule) -> str:
    if KeyRule(rule.mode).apply(pa.array([raw], pa.string())).null_count:
        return f"{where}: found {show(raw)}, which is empty as {rule.mode}; expected a key"
    return f"{where}: found {show(raw)}, which score_key_regex {show(rule.regex)} does not match; expected a match"


def _empty(entry: ScoreEntry, label: str) -> Scores:
    none = pa.array([], pa.string())
    numbers, floats = pa.array([], pa.int64()), pa.array([], pa.float64())
    side = Side("", none, None)
    return Scores(
        label, entry.path, entry.path, side, none, floats, pa.array([], pa.bool_()), floats, numbers, numbers
    )
