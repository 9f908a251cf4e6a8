"""pandas DataFrames in, a DataFrame out: the join of `materialize`, without files.

::

    frame ─────────────▶ FrameTable ─┐
    frames, or files ──▶ Scores ─────┴─ matching ─▶ MatchedTable ─▶ check ─▶ append ─▶ joined frame

Only the keys and the scores are converted to Arrow. So the index, and the type of every other column, stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import pandas as pd
import pyarrow as pa

from ..errors import JoinError, SidecarError, TableError, UsageError, listing, show
from ..manifest.declarations import declaration_faults, declarations
from ..manifest.entries import FeaturesEntry, SidecarEntry, TableEntry
from ..manifest.options import JoinOptions, option_faults
from ..records.versions import versions
from ..storage import jsontext, locations
from ..storage.locations import Location
from . import columns, keys
from .matching import FileInputs, MatchedTable, Matching, enough_memory
from .materialize import object_faults
from .sidecars.read import read_table
from .sidecars.record import Scores
from .tables.base import Chunk, FeatureTable, Form, decoded
from .threads import ReadAhead

ATTRIBUTE = "second_opinion"
"""The name of the audit among the attributes of a joined frame."""

FrameScores: TypeAlias = pd.DataFrame | str | os.PathLike[str] | Mapping[str, Any]
"""A sidecar: a frame of its rows, a path, or an object as a manifest holds it."""

_UNUSABLE = "the frame cannot be joined like this"
_FRAME = "frame.parquet"  # how messages name the features; the name of a file that is never read


def join_frame(
    frame: pd.DataFrame,
    scores: Mapping[str, FrameScores],
    *,
    options: JoinOptions | None = None,
    scorers: Mapping[str, Mapping[str, Any]] | None = None,
    base_dir: str | os.PathLike[str] = ".",
) -> pd.DataFrame:
    """Join scores onto a frame of features. Rules, errors and columns are those of `materialize`.

    :param frame: one row per clip; the key is in a column, or in a level of the index that has a name.
    :param scores: the sidecars by label; a frame is read as if it had been written to Parquet.
    :param options: how to join; None: the defaults.
    :param scorers: declarations of scorers by label, like a manifest's `scorers`.
    :param base_dir: the folder that paths of sidecars are relative to.
    :returns: a new frame with the appended columns; `attrs["second_opinion"]` is its audit.
    :raises UsageError: the arguments cannot be used.
    :raises BatchError: a sidecar is missing or faulty, or the join would be wrong.
    """
    _check_frame("frame", frame)
    if not isinstance(options, JoinOptions | None):
        raise UsageError(f"options: found {type(options).__name__}; expected JoinOptions")
    base, declared = locations.given(base_dir), jsontext.without_comments(scorers or {})
    entry = _entry(scores, options or JoinOptions(), declared, base)
    inputs = _FrameInputs(entry, base, frame, {label: _table(label, each) for label, each in _frames(scores)})
    with enough_memory(entry), ReadAhead() as ahead:
        matched = Matching(entry, inputs, ahead).result()
    _check_index(frame, matched)
    matched.check()
    joined = _appended(frame, matched)
    joined.attrs = {**frame.attrs, ATTRIBUTE: _audit(matched)}
    return joined


class FrameTable(FeatureTable):
    """A frame as a feature table. It has the columns that pandas would write to Parquet: the frame's, then the index's."""

    def __init__(self, frame: pd.DataFrame, wanted_key: str | None = None) -> None:
        super().__init__(Path("frame"), wanted_key)
        self._frame = frame
        self.check_columns(self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, then of the levels of the index, as texts."""
        levels = [name for name in self._frame.index.names if name is not None]
        return tuple(map(str, [*self._frame.columns, *levels]))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self._frame)

    def texts(self, columns: Sequence[str]) -> Iterator[Sequence[pa.Array]]:
        """The texts of columns, or of levels of the index."""
        yield [self._texts(name) for name in columns]

    def _texts(self, name: str) -> pa.Array:
        try:
            return keys.texts(_array(self._values(name)))
        except (pa.ArrowException, TypeError, ValueError) as exc:
            reason = " ".join(str(exc).split())
            raise TableError(f"frame column {show(name)}: expected keys, texts or numbers: {reason}") from exc

    def schema(self) -> pa.Schema:
        """Names and types, as pandas would write them to Parquet."""
        return self._table.schema

    def chunks(self, form: Form) -> Iterator[Chunk]:
        """The rows as record batches; a frame has no other form."""
        if form != "arrow":
            raise TableError(f"frame: found the form {form}; expected arrow")
        return iter(self._table.to_batches())

    @property
    def _table(self) -> pa.Table:
        return _table("frame", self._frame)

    def _values(self, name: str) -> pd.Series | pd.Index:
        """The values of a column, or of a level of the index; none if the frame is empty and has no such column."""
        index, position = self._frame.index, self.columns.index(name) if name in self.columns else None
        if position is None:
            return pd.Index([], dtype=object)
        if position < len(self._frame.columns):
            return self._frame.iloc[:, position]
        levels = [level for level, held in enumerate(index.names) if held is not None]
        return index.get_level_values(levels[position - len(self._frame.columns)])


@dataclass(frozen=True)
class _FrameInputs:
    """A frame, and sidecars that are tables in memory or files."""

    entry: TableEntry
    base: Location
    frame: pd.DataFrame
    tables: dict[str, pa.Table] = field(default_factory=dict)

    def features(self) -> FeatureTable:
        """The feature table."""
        return FrameTable(self.frame, self.entry.options.feature_key)

    def scores(self, sidecar: SidecarEntry) -> list[Scores]:
        """The scores of one of its sidecars."""
        table = self.tables.get(sidecar.label or "")
        if table is None:
            return FileInputs(self.entry, self.base).scores(sidecar)
        return read_table(str(sidecar.label), table, self.entry.options)


def _entry(
    scores: Mapping[str, FrameScores],
    options: JoinOptions,
    declared: Mapping[str, Mapping[str, Any]],
    base: Location,
) -> TableEntry:
    """:raises UsageError: the sidecars, the options or the declarations cannot be used."""
    if not isinstance(scores, Mapping) or not scores:
        raise UsageError("scores: expected at least one sidecar, by label: {'dover': frame or path}")
    objects = {str(label): dict(each) for label, each in scores.items() if isinstance(each, Mapping)}
    if faults := [*_label_faults(scores), *object_faults({"scores": objects, "scorers": declared})]:
        raise UsageError(listing(_UNUSABLE, faults))
    sidecars = tuple(_sidecar(label, each, base) for label, each in scores.items())
    faults = [f"scores[{show(each.label)}]{fault}" for each in sidecars for fault in each.faults()]
    faults += [*option_faults(options.as_json()), *options.faults(), *declaration_faults(declared)]
    if faults:
        raise UsageError(listing(_UNUSABLE, faults))
    return TableEntry(
        features=FeaturesEntry(_FRAME),
        scores=sidecars,
        out=_FRAME,
        audit_json=None,
        options=options,
        scorers=declarations(declared),
    )


def _label_faults(scores: Mapping[Any, FrameScores]) -> Iterator[str]:
    """Labels that are no text, and objects that name another one."""
    for label, each in scores.items():
        if not isinstance(label, str):
            yield f"scores[{show(label)}]: found a label of type {type(label).__name__}; expected a text"
        elif isinstance(each, Mapping) and each.get("label", label) != label:
            yield f"scores[{show(label)}].label: found {show(each['label'])}; expected {show(label)}, or no label"


def _sidecar(label: str, given: FrameScores, base: Location) -> SidecarEntry:
    if isinstance(given, pd.DataFrame):
        return SidecarEntry(path=label, label=label, format="parquet")
    if isinstance(given, Mapping):
        return SidecarEntry.of({"label": label, **jsontext.without_comments(given)}, base)
    if isinstance(given, str | os.PathLike):
        return SidecarEntry(path=os.fspath(given), label=label)
    raise UsageError(
        f"scores[{show(label)}]: found {type(given).__name__}; expected a DataFrame, a path or a manifest's object"
    )


def _frames(scores: Mapping[str, FrameScores]) -> Iterator[tuple[str, pd.DataFrame]]:
    return ((label, each) for label, each in scores.items() if isinstance(each, pd.DataFrame))


def _check_frame(name: str, frame: object) -> None:
    """:raises UsageError: it is not a DataFrame, or its columns have several levels."""
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(f"{name}: found {type(frame).__name__}; expected a pandas DataFrame")
    if isinstance(frame.columns, pd.MultiIndex):
        raise UsageError(
            f"{name}: found columns of {frame.columns.nlevels} levels; expected one level "
            "(frame.columns = frame.columns.map('_'.join) makes one)"
        )


def _table(label: str, frame: pd.DataFrame) -> pa.Table:
    """The frame as pandas would write it to Parquet.

    :raises UsageError: its columns have several levels.
    :raises SidecarError: Arrow cannot hold a column, or two columns have one name.
    """
    _check_frame(f"scores[{show(label)}]", frame)
    named = frame.set_axis(frame.columns.map(str), axis="columns")  # pandas warns of names that are no texts
    try:
        if not named.columns.is_unique:
            raise SidecarError(f"{label}: two columns have one name; expected unique names")
        table = pa.Table.from_pandas(named)
    except (pa.ArrowException, TypeError, ValueError) as exc:
        reason = " ".join("; ".join(map(str, exc.args)).split())
        raise SidecarError(f"{label}: {reason}; expected columns of one type") from exc
    if len(set(table.column_names)) < table.num_columns:
        raise SidecarError(f"{label}: a column and a level of the index have one name; expected unique names")
    return table


def _array(values: pd.Series | pd.Index) -> pa.Array:
    found = pa.Array.from_pandas(values)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _check_index(frame: pd.DataFrame, matched: MatchedTable) -> None:
    """:raises JoinError: an appended column would have the name of a level of the index."""
    levels = [name for name in matched.appended.names if name in frame.index.names]
    if levels:
        raise JoinError(
            f"{show(levels[0])} is a level of the frame's index; rename it, or set another prefix"
        )


def _appended(frame: pd.DataFrame, matched: MatchedTable) -> pd.DataFrame:
    """The frame's kept rows with the appended columns. One that replaces a column keeps its position."""
    found = matched.found
    new = decoded(columns.append(found, 0, found.rows)).to_pandas()
    new.index = frame.index
    if found.kept is not None:
        kept = found.kept.to_numpy(zero_copy_only=False)
        frame, new = frame.loc[kept], new.loc[kept]
    replaced = [name for name in frame.columns if name in new.columns]
    if replaced:
        frame = frame.assign(**{name: new[name] for name in replaced})
    added = new.drop(columns=replaced)
    return pd.concat([frame, added], axis="columns") if len(added.columns) else frame.copy()


def _audit(matched: MatchedTable) -> dict[str, Any]:
    """The audit of a joined table, without what describes files."""
    options = matched.found.options
    return {
        **matched.features.described_key,
        "key_normalize": options.key_normalize,
        "missing_policy": options.missing_policy,
        "input_rows": matched.found.rows,
        "output_rows": matched.output_rows,
        "competitors": {each["competitor"]: cast("dict[str, Any]", each) for each in matched.covered},
        "versions": versions(),
    }
