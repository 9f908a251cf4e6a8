"""One sidecar -> score records in columns, per scorer, file and key field."""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import Faults, InputError, InputMissingError, SidecarError, count, one_line, show
from ...manifest.declarations import slug
from ...manifest.entries import SidecarEntry
from ...manifest.field_paths import KEY_SEPARATOR
from ...manifest.options import JoinOptions
from ...storage.formats import SIDECAR_EXTENSIONS, sidecar_format
from ...storage.locations import Location
from ..keys import KeyRule
from ..large.spool import SpooledTable
from ..threads import ReadAhead
from .blocks import Plain, read_plain
from .delimited_rows import DelimitedRows
from .fields import Reading, Row, RowFault
from .parquet_rows import Part, TableSource
from .record import NUMBERED, RECORD, ScoreRow, Scores
from .rows import Block, FileSource, Source, unit
from .scores import ScoreReader

SPOOLED_ROWS = 1 << 18
"""Rows of one scorer in a file that are moved to a spool, if there is one."""

Spool: TypeAlias = Callable[[pa.Schema], SpooledTable]
"""Makes a table that grows in files."""

Comparing: TypeAlias = Callable[[Sequence[ScoreRow], Sequence[int]], pa.Array]
"""The comparable keys of single rows with their numbers."""

MAX_SCORERS = 1000
"""Maximum number of scorers in one sidecar file."""


class _Gathered:
    """The rows of one scorer and key field, in batches and one by one, until they become columns.

    :param spool: where they are kept if they are many; None: in memory.
    """

    def __init__(self, spool: Spool | None = None) -> None:
        self._columns: list[list[pa.Array]] = [[] for _ in NUMBERED]
        self._rows: list[ScoreRow] = []
        self._numbers: list[int] = []
        self._spool = spool
        self._spooled: SpooledTable | None = None

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Add rows (`NUMBERED`) that were read as a batch."""
        for column, array in zip(self._columns, batch.columns, strict=True):
            column.append(array)

    def add_row(self, number: int, row: ScoreRow) -> None:
        """Add a single row."""
        self._rows.append(row)
        self._numbers.append(number)

    def columns(self, comparable: Comparing) -> pa.Table:
        """All rows (`NUMBERED`) in the order of the file.

        :param comparable: the comparable keys of single rows with their numbers.
        """
        if self._spooled is None:
            return self._held(comparable)
        self._spooled.add(column.combine_chunks() for column in self._held(comparable).columns)
        return self._spooled.table()

    def relieve(self, comparable: Comparing) -> None:
        """Move rows to the spool if they are many; all rows so far come before those that are added later."""
        rows = len(self._rows) + sum(map(len, self._columns[0]))
        if self._spool is not None and rows >= SPOOLED_ROWS:
            self._spooled = self._spooled or self._spool(NUMBERED)
            self._spooled.add(column.combine_chunks() for column in self._held(comparable).columns)
            self._columns = [[] for _ in NUMBERED]
            self._rows, self._numbers = [], []

    def _held(self, comparable: Comparing) -> pa.Table:
        """The rows in memory. Works column by column, since copying a column doubles its memory."""
        mixed = bool(self._columns[0] and self._rows)
        if self._rows:
            _, *measured, number = NUMBERED  # the first is the key, the last the number
            arrays = [
                pa.array([getattr(row, each.name) for row in self._rows], each.type) for each in measured
            ]
            keys = comparable(self._rows, self._numbers)
            single = [keys, *arrays, pa.array(self._numbers, number.type)]
            self.add_batch(pa.record_batch(single, schema=NUMBERED))
        whole: list[pa.Array] = []
        for column in self._columns:
            whole.append(pa.concat_arrays(column) if column else pa.array([], NUMBERED[len(whole)].type))
            column.clear()
        table = pa.table(whole, schema=NUMBERED)
        return table.take(pc.sort_indices(table["number"])) if mixed else table


class _Gathering(defaultdict[tuple[str, str], _Gathered]):
    """The gathered rows per scorer and key field.

    :raises SidecarError: there are more than `MAX_SCORERS`: each costs memory, time and five columns of the join.
    """

    def __init__(self, location: str, spool: Spool | None) -> None:
        super().__init__(functools.partial(_Gathered, spool))
        self._location = location

    def __missing__(self, of: tuple[str, str]) -> _Gathered:
        if len(self) == MAX_SCORERS:
            raise SidecarError(
                f"{self._location}s: found more than {MAX_SCORERS} scorers, {show(of[0])} the last of them; "
                "expected a field competitor that names the scorer (or another field name)"
            )
        return super().__missing__(of)


def read_sidecar(
    entry: SidecarEntry, base: Location, options: JoinOptions, spool: Spool | None = None
) -> list[Scores]:
    """The scores of one sidecar, which a pattern may spread over many files.

    :param spool: where records are kept if they are many; None: in memory.
    :raises InputMissingError: a file does not exist yet, or a pattern matches none.
    :raises SidecarError: rows are faulty; the message counts them and shows the first ten.
    """
    named = entry.files(base)
    if not named:
        raise InputMissingError(f"{entry.path}: no file matches yet, below {base}")
    return _read(entry, [(name, _file_source(entry, name, path)) for name, path in named], options, spool)


def read_table(label: str, table: pa.Table, options: JoinOptions) -> list[Scores]:
    """The scores of a sidecar that is a table in memory, as if it had been read from Parquet.

    :param label: the scorer's name, for rows that do not name it; also the value of the `source` column.
    :raises SidecarError: as `read_sidecar`.
    """
    entry = SidecarEntry(path=label, label=label, format="parquet")
    return _read(entry, [(label, TableSource(Path(label), table))], options)


def _file_source(entry: SidecarEntry, name: str, path: Location) -> FileSource:
    form = sidecar_format(name, entry.format)
    if form is None:
        raise SidecarError(
            f"{name}: expected one of {', '.join(SIDECAR_EXTENSIONS)}, or a format in the entry"
        )
    return FileSource(path, form)


def _read(
    entry: SidecarEntry,
    sources: Iterable[tuple[str, Source]],
    options: JoinOptions,
    spool: Spool | None = None,
) -> list[Scores]:
    faults = Faults()
    reader = ScoreReader(entry, options)
    found = [
        scores
        for name, source in sources
        for scores in _File(entry, name, source, reader, options, faults, spool).read()
    ]
    if faults.count:
        raise SidecarError(
            faults.message(f"{entry.path}: {count(faults.count, 'faulty row')} in the sidecar")
        )
    if not found and not entry.labels():
        raise SidecarError(
            f"{entry.path}: found no row, and no label names a scorer; expected at least one row"
        )
    named_slugs = {slug(scores.label) for scores in found}
    return found + [_empty(entry, label) for label in entry.labels() if slug(label) not in named_slugs]


class _File:
    """One file of a sidecar."""

    def __init__(
        self,
        entry: SidecarEntry,
        name: str,
        source: Source,
        reader: ScoreReader,
        options: JoinOptions,
        faults: Faults,
        spool: Spool | None,
    ) -> None:
        self._entry, self._name, self._source, self._spool = entry, name, source, spool
        self._reader, self._options, self._faults = reader, options, faults
        self._how = Reading(name, entry.label, reader.set_fields, entry.text)
        self._location = f"{name} {unit(source.form)}"
        self._raw = False

    def read(self) -> list[Scores]:
        """The scores in the file, per scorer and key field, in the order of their first rows."""
        note = self._note()
        columns = self._columns()
        # The order does not depend on which rows were read at once.
        in_order = sorted(columns, key=lambda of: int(columns[of]["number"][0].as_py()))
        return [self._scores(of, columns.pop(of), note) for of in in_order]

    def bad_statuses(self, label: str) -> Counter[str]:
        """How many rows of a scorer have each status that is not ok."""
        found: Counter[str] = Counter()
        for _, row in self._source.rows(self._how):
            if isinstance(row, dict) and label in self._reader.labels_of(row):
                found[self._reader.bad_status(row) or ""] += 1
        return found

    def _note(self) -> str | None:
        form = self._source.form
        if form not in ("csv", "tsv"):
            return None
        text = DelimitedRows(self._source.path, form, self._how).note()
        return None if text is None else f"{self._name}: {text}"

    def recall(self, of: tuple[str, str], expected: int) -> pa.Table:
        """Read the rows of a scorer and key field again, with their keys as the file spells them.

        :raises InputError: their number has changed.
        """
        again = _File(
            self._entry, self._name, self._source, self._reader, self._options, Faults(), self._spool
        )
        again._raw = True
        table = again._columns().get(of)
        if table is None or table.num_rows != expected:
            raise InputError(f"{self._source.path}: the file changed while it was being read; run again")
        return table

    def _columns(self) -> dict[tuple[str, str], pa.Table]:
        gathered = _Gathering(self._location, self._spool)
        blocks = self._source.blocks(self._how)
        if blocks is None:
            rows = iter(self._source.rows(self._how))
            for row in rows:
                self._take_rows(gathered, itertools.chain([row], itertools.islice(rows, SPOOLED_ROWS)))
                self._relieve(gathered)
        else:
            with ReadAhead() as ahead:
                for block, plain in ahead.each(self._read_plain, blocks):
                    for label, batch in plain.scored:
                        gathered[label, plain.key_field].add_batch(batch)
                    self._take_rows(gathered, block.rows(plain.left))
                    self._relieve(gathered)
        return {of: held.columns(self._comparing(of[1])) for of, held in gathered.items()}

    def _comparing(self, key_field: str) -> Comparing:
        return functools.partial(self._comparable_rows, key_field)

    def _relieve(self, gathered: _Gathering) -> None:
        """Move what is gathered to the spool where it has become much; every row before it was gathered."""
        for (_, key_field), held in gathered.items():
            held.relieve(self._comparing(key_field))

    def _read_plain(self, block: Block | Part) -> tuple[Block | Part, Plain]:
        return block, read_plain(block, self._reader, self._comparable)

    def _take_rows(self, gathered: _Gathering, rows: Iterable[tuple[int, Row | RowFault]]) -> None:
        for number, row in rows:
            try:
                if isinstance(row, RowFault):
                    raise row
                for score in self._reader.read(row, self._name):
                    gathered[score.label, score.key_field].add_row(number, score)
            except RowFault as fault:
                self._faults.add(f"{self._location} {number}: {one_line(str(fault))}")

    def _comparable(self, key_field: str, raw: pa.Array) -> pa.Array:
        return raw if self._raw else self._rule(key_field).apply(raw)

    def _rule(self, key_field: str) -> KeyRule:
        return KeyRule.of(self._options.key_normalize, key_field, self._options.score_key_regex)

    def _comparable_rows(self, key_field: str, rows: Sequence[ScoreRow], numbers: Sequence[int]) -> pa.Array:
        """The comparable keys of rows. A row without one is a fault, counted once for all its aspects."""

        def location(row: int) -> str:
            return f"{self._location} {numbers[row]}: {_named(key_field)}"

        raw = _texts(rows, location, self._faults)
        comparable = self._comparable(key_field, raw)
        for row in pc.indices_nonzero(comparable.is_null()).to_pylist():
            if rows[row].aspect == 0:
                fault = functools.partial(_no_key, location(row), raw[row].as_py(), self._rule(key_field))
                self._faults.add(fault)
        return comparable

    def _scores(self, of: tuple[str, str], columns: pa.Table, note: str | None) -> Scores:
        label, key_field = of
        records = _batch(columns)
        return Scores(
            label=label,
            source=self._entry.path,
            location=self._location,
            key_field=key_field,
            key_regex=self._options.score_key_regex,
            records=records,
            recall=functools.partial(self.recall, of, records.num_rows),
            bad_statuses=functools.partial(self.bad_statuses, label),
            note=note,
        )


def _batch(columns: pa.Table) -> pa.RecordBatch:
    """The records without their numbers; the columns of `columns` are in one chunk each."""
    return pa.RecordBatch.from_arrays([columns[name].chunk(0) for name in RECORD.names], names=RECORD.names)


def _texts(rows: Sequence[ScoreRow], location: Callable[[int], str], faults: Faults) -> pa.Array:
    try:
        return pa.array([row.key for row in rows], pa.string())
    except UnicodeEncodeError:
        texts = [row.key.encode("utf-8", "replace").decode("utf-8") for row in rows]
        for index, (row, text) in enumerate(zip(rows, texts, strict=True)):
            if row.key != text and row.aspect == 0:
                faults.add(f"{location(index)}: found {show(row.key)}; expected Unicode text")
        return pa.array(texts, pa.string())


def _named(key_field: str) -> str:
    fields = key_field.split(KEY_SEPARATOR)
    return f"field{'s' if len(fields) > 1 else ''} {', '.join(map(one_line, fields))}"


def _no_key(where: str, raw: str, rule: KeyRule) -> str:
    if rule.plain.apply(pa.array([raw], pa.string())).null_count:
        return f"{where}: found {show(raw)}, which is empty as {rule.mode}; expected a key"
    return f"{where}: found {show(raw)}, which score_key_regex {show(rule.regex)} does not match; expected a match"


def _empty(entry: SidecarEntry, label: str) -> Scores:
    none = NUMBERED.empty_table()
    return Scores(label, entry.path, entry.path, "", None, _batch(none.combine_chunks()), lambda: none)
