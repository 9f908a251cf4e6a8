"""One sidecar -> score records in columns, one set per scorer."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.entries import ScoreEntry, slug
from pipeline.errors import Faults, InputMissingError, SidecarError, count, show
from pipeline.formats import SIDECAR_EXTENSIONS, sidecar_format
from pipeline.keys import KeyRule, Side
from pipeline.options import JoinOptions
from pipeline.rows import RowFault, read_rows, unit
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
class _Columns:
    """Score rows on their way into columns."""

    keys: list[str] = field(default_factory=list)
    score: list[float | None] = field(default_factory=list)
    bad: list[bool] = field(default_factory=list)
    runtime_ms: list[float | None] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def append(self, number: int, row: ScoreRow) -> None:
        self.keys.append(row.key)
        self.score.append(row.score)
        self.bad.append(row.bad)
        self.runtime_ms.append(row.runtime_ms)
        self.frames.append(row.frames)
        self.numbers.append(number)


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
        scores for name, path in named for scores in _read_file(entry, name, path, reader, options, faults)
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


def _read_file(
    entry: ScoreEntry, name: str, path: Path, reader: RowReader, options: JoinOptions, faults: Faults
) -> Iterator[Scores]:
    form = sidecar_format(name, entry.format)
    if form is None:
        raise SidecarError(
            f"{name}: expected one of {', '.join(SIDECAR_EXTENSIONS)}, or a format in the entry"
        )
    place = f"{name} {unit(form)}"
    columns: dict[tuple[str, str], _Columns] = {}
    for number, row in read_rows(path, form):
        try:
            if isinstance(row, RowFault):
                raise row
            for score in reader.read(row, name):
                columns.setdefault((score.label, score.key_field), _Columns()).append(number, score)
        except RowFault as fault:
            faults.add(f"{place} {number}: {fault}")
    for (label, key_field), held in columns.items():
        yield _scores(entry, place, label, key_field, held, options, faults)


def _scores(
    entry: ScoreEntry,
    place: str,
    label: str,
    key_field: str,
    held: _Columns,
    options: JoinOptions,
    faults: Faults,
) -> Scores:
    raw = _texts(held, place, key_field, faults)
    rule = KeyRule.of(options.key_normalize, key_field, options.score_key_regex)
    comparable = rule.apply(raw)
    if comparable.null_count:
        for row in pc.indices_nonzero(comparable.is_null()).to_pylist():
            faults.add(
                functools.partial(
                    _no_key, f"{place} {held.numbers[row]}: field {key_field}", held.keys[row], rule
                )
            )
    return Scores(
        label=label,
        source=entry.path,
        place=place,
        side=Side(key_field, raw, options.score_key_regex),
        keys=comparable,
        score=pa.array(held.score, pa.float64()),
        bad=pa.array(held.bad, pa.bool_()),
        runtime_ms=pa.array(held.runtime_ms, pa.float64()),
        frames=pa.array(held.frames, pa.int64()),
        numbers=pa.array(held.numbers, pa.int64()),
    )


def _texts(held: _Columns, place: str, key_field: str, faults: Faults) -> pa.Array:
    try:
        return pa.array(held.keys, pa.string())
    except UnicodeEncodeError:
        for number, key in zip(held.numbers, held.keys, strict=True):
            if not key.isascii() and key != key.encode("utf-8", "replace").decode("utf-8"):
                faults.add(f"{place} {number}: field {key_field}: found {show(key)}; expected Unicode text")
        return pa.array([key.encode("utf-8", "replace").decode("utf-8") for key in held.keys], pa.string())


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
