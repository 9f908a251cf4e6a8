"""What a file holds by its fields: a feature table, a sidecar or neither, and why.

A sidecar has a field that names the scorer or holds a score, and little beside; a feature table has a key and many
columns. What may be the human label is never taken for a score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, TypeAlias

import pyarrow.compute as pc

from pipeline import keys
from pipeline.entries import slug
from pipeline.errors import show
from pipeline.fields import RUNTIME_FIELDS, SCORE_FIELDS, Row
from pipeline.numbers import finite_number
from pipeline.scorerows import named
from pipeline.starter.samples import Sample

Kind: TypeAlias = Literal["features", "sidecar", "neither"]

_MOST_MEASURES = 3
_MOST_KEYS = 3
_MOST_COLUMNS = 20
_BOOKKEEPING = frozenset({"competitor", "status", "frames", *RUNTIME_FIELDS})
_LABEL_WORDS = frozenset(
    {"mos", "dmos", "gt", "label", "labels", "rating", "ratings", "sos", "target", "subjective"}
)
_KEY_WORDS = frozenset({"id", "vid", "video", "clip", "name", "file", "path", "key", "image", "img"})
_MEASURED = (
    r"^[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?$|^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-][0-9]+$|^(?i:nan|[+-]?inf)$"
)
_PREDICTIONS = (*(each for each in SCORE_FIELDS if each != "mos"), "mos")
_JOINED = ("score", "status", "runtime_ms", "frames", "source")


@dataclass(frozen=True)
class Finding:
    """What a file holds.

    Attributes:
        kind: what it is taken for.
        why: the reason.
        key_columns: what may be the key, best first; of a sidecar None: the field that is found by itself.
        by_file: each row's key may be the name of its file, which is tried first.
        unnamed: the rows do not name their scorer, so that a label must.
        score_field: what must be said to be the score.
        score_fields: (aspect, field) pairs, as in an entry.
        notes: what else a reader should know.
    """

    kind: Kind
    why: str
    key_columns: tuple[str | None, ...] = ()
    by_file: bool = False
    unnamed: bool = False
    score_field: str | None = None
    score_fields: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def inspect(sample: Sample) -> Finding:
    """What the file of the sample holds."""
    if (own := _own(sample)) is not None:
        return Finding("neither", own)
    if sample.is_parquet:
        return _features(sample, "Parquet")
    if not sample.rows:
        return Finding("neither", "it has no row")
    if header := [name for name in sample.columns if finite_number(name) is not None]:
        return Finding(
            "neither", f"it seems to have no header: found {show(header[0])} as the name of a field"
        )
    return _Fields(sample).finding()


def names_scorer(sample: Sample) -> bool:
    """Whether every row names its scorer, be there a score or not."""
    return not sample.is_parquet and _own(sample) is None and _Fields(sample).names_scorer


def words(name: str) -> list[str]:
    """The words of a field's name, lower case."""
    return re.findall(r"[a-z]+|[0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())


def possible_keys(sample: Sample, without: Iterable[str] = ()) -> list[str]:
    """The columns that may name the clip, best first: of texts or whole numbers that are not all the same."""
    left_out = set(without)
    found = [name for name in sample.texts if name not in left_out and _may_be_key(sample, name)]
    return sorted(found, key=_rank)[:_MOST_COLUMNS]


def _rank(name: str) -> tuple[int, int]:
    lower = name.lower()
    if lower in keys.CANDIDATES:
        return 0, keys.CANDIDATES.index(lower)
    return 1, -len(_KEY_WORDS & set(words(name)))


def _may_be_key(sample: Sample, name: str) -> bool:
    texts = sample.texts[name].drop_null()
    if not len(texts) or pc.any(pc.match_substring_regex(texts, _MEASURED)).as_py():
        return False
    return len(texts.unique()) > 1 or len(texts) == 1


def _features(sample: Sample, sign: str) -> Finding:
    found = possible_keys(sample)
    if not found:
        return Finding("neither", f"no column can name the clips (columns: {_listed(sample.columns)})")
    why = f"{sign}; {len(sample.columns)} columns, of which {_listed(found)} may be the key"
    return Finding("features", why, tuple(found))


def _own(sample: Sample) -> str | None:
    """What the project itself has written, or reads as a manifest."""
    first = sample.first
    if str(first.get("schema", "")).startswith("second-opinion"):
        return "a report"
    if "run_provenance" in first:
        return "an audit"
    tables = first.get("tables")
    if isinstance(tables, list) and tables and isinstance(tables[0], dict) and "features" in tables[0]:
        return "a manifest"
    held = set(sample.columns)
    for name in sample.columns:
        prefix = name.removesuffix("_source")
        if prefix != name and held >= {f"{prefix}_{each}" for each in _JOINED}:
            return f"a joined table: it has the columns {prefix}_score, {prefix}_status ..."
    return None


class _Fields:
    """The fields of a text file, by what they may mean."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._rows = sample.rows
        numeric = [name for name in sample.columns if self._is_numeric(name)]
        self._exact = [name for name in numeric if self._is_score(name)]
        beside = [name for name in numeric if name not in self._exact and not _is_bookkeeping(name)]
        self._labels = [name for name in beside if _is_label(name)]
        others = [name for name in beside if name not in self._labels]
        self._worded = [name for name in others if "score" in words(name)]
        self._pooled = [name for name in others if name.startswith("pooled_metrics.")]
        self._measures = [
            name for name in others if name not in (*self._worded, *self._pooled) and self._is_measure(name)
        ]
        self._scorers = self._named_scorers()

    @property
    def names_scorer(self) -> bool:
        """Whether every row names its scorer."""
        return bool(self._scorers) and all(self._scorers)

    def finding(self) -> Finding:
        """What the file is taken for."""
        if self.names_scorer:
            return self._sidecar(
                f"its rows name their scorer, {_listed(sorted(set(filter(None, self._scorers))))}"
            )
        if self._framed():
            return self._sidecar("its rows hold scores of frames")
        name = PurePosixPath(self._sample.name).name.lower()
        if "feature" in name or "feats" in name:
            return _features(self._sample, "its name says so")
        few = len(self._measures) <= _MOST_MEASURES
        if self._pooled or ((self._strong() or self._worded) and few):
            return self._sidecar(
                f"it has {_listed([*self._exact, *self._worded, *self._pooled])} and little else"
            )
        if self._exact and not self._measures:
            if self._only_mos():
                return Finding(
                    "neither", "its only score is mos, which may be the human label; add it by hand if not"
                )
            return self._sidecar(f"it has {_listed(self._exact)} and little else")
        if len(self._measures) == 1 and not self._labels and not self._exact:
            return self._sidecar(f"it has one number beside its key, {self._measures[0]}")
        return _features(
            self._sample, "no scorer is named and it has many columns, or none that holds a score"
        )

    def _sidecar(self, why: str) -> Finding:
        score_field, score_fields, notes = self._scores()
        if not self._framed() and not (self._exact or score_field or score_fields):
            return Finding("neither", f"{why}, but no field holds a score")
        columns = self._key_fields()
        if not columns and not self._sample.is_single:
            return Finding("neither", f"{why}, but no field can name the clips")
        return Finding(
            kind="sidecar",
            why=why,
            key_columns=tuple(columns),
            by_file=None not in columns and self._sample.is_single,
            unnamed=not self.names_scorer,
            score_field=score_field,
            score_fields=score_fields,
            notes=tuple(notes),
        )

    def _scores(self) -> tuple[str | None, tuple[tuple[str, str], ...], list[str]]:
        """What has to be said of the score, and why."""
        if self._exact:
            rivals = sorted(self._exact, key=lambda name: _PREDICTIONS.index(_last(name)))
            if not self._compete():
                return None, (), []
            note = (
                f"score_field {rivals[0]}: {_listed(rivals[1:])} has other values and may be the human label"
            )
            return rivals[0], (), [note]
        if self._framed() and not self._pooled:
            return None, (), []
        fields = self._pooled_means() or self._worded or self._measures
        if len(fields) == 1:
            return (
                fields[0],
                (),
                [f"score_field {fields[0]}: no field has a name that is known to hold a score"],
            )
        if not fields:
            return None, (), []
        return (
            None,
            _aspects(fields),
            [f"score_fields: {len(fields)} scores in each row, each a scorer of its own"],
        )

    def _pooled_means(self) -> list[str]:
        """The mean of each metric, of `vmaf` alone where it is there, as the others are its parts."""
        means = [name for name in self._pooled if name.endswith(".mean")]
        return [name for name in means if name == "pooled_metrics.vmaf.mean"] or means

    def _key_fields(self) -> list[str | None]:
        scores = {*self._exact, *self._worded, *self._pooled, *self._measures, *self._labels}
        held = [name for name in self._sample.columns if _is_bookkeeping(name)]
        found: list[str | None] = [*possible_keys(self._sample, [*scores, *held])]
        known = keys.pick([name.removeprefix("summary.") for name in self._sample.columns if _is_near(name)])
        if known is not None:
            found = [None, *(name for name in found if name not in (known, f"summary.{known}"))]
        return found[:_MOST_KEYS]

    def _named_scorers(self) -> list[str | None]:
        fields = [
            name for name in self._sample.columns if name.lower() in ("competitor", "summary.competitor")
        ]
        return [next(filter(None, (named(row.get(name)) for name in fields)), None) for row in self._rows]

    def _framed(self) -> bool:
        return any(
            isinstance(frame, dict) and any(name.lower() in SCORE_FIELDS for name in frame)
            for row in self._rows
            for frame in _first_frame(row)
        )

    def _compete(self) -> bool:
        """Whether a row holds two scores that differ, which a join refuses."""
        for row in self._rows:
            values = {finite_number(row.get(name)) for name in self._exact} - {None}
            if len(values) > 1:
                return True
        return False

    def _strong(self) -> bool:
        return any(_last(name) in ("score", "predicted_mos", "predicted_vmaf_or_mos") for name in self._exact)

    def _only_mos(self) -> bool:
        return {_last(name) for name in self._exact} == {"mos"}

    def _is_numeric(self, name: str) -> bool:
        values = [value for row in self._rows if (value := row.get(name)) not in (None, "")]
        numbers = [value for value in values if isinstance(value, float) or finite_number(value) is not None]
        return bool(numbers) and len(numbers) * 2 > len(values)

    def _is_score(self, name: str) -> bool:
        return _is_near(name) and _last(name) in SCORE_FIELDS

    def _is_measure(self, name: str) -> bool:
        """Whether it is a measured number rather than an id or a count that names the row."""
        return not (
            _rank(name)[0] == 0 or (_KEY_WORDS & set(words(name)) and _may_be_key(self._sample, name))
        )


def _first_frame(row: Row) -> Sequence[Any]:
    frames = next((value for name, value in row.items() if name.lower() == "frames"), None)
    return frames[:1] if isinstance(frames, list) else []


def _aspects(fields: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """A short name for each field that differs from the others': `overall` for `overall/final score`."""
    short = {field: _aspect(field) for field in fields}
    if len({slug(each) for each in short.values()}) < len(fields) or not all(map(slug, short.values())):
        short = {field: f"{slug(field) or 'score'}-{number}" for number, field in enumerate(fields, 1)}
    return tuple(sorted((aspect, field) for field, aspect in short.items()))


def _aspect(field: str) -> str:
    kept = field.removeprefix("pooled_metrics.").removesuffix(".mean").partition("/")[0]
    left = [each for each in re.findall(r"[A-Za-z0-9+]+", kept) if each.lower() != "score"]
    return "-".join(left)


def _is_bookkeeping(name: str) -> bool:
    return name.lower().removeprefix("summary.") in _BOOKKEEPING


def _is_label(name: str) -> bool:
    return bool(_LABEL_WORDS & set(words(name))) or name.lower().startswith("mos")


def _is_near(name: str) -> bool:
    """Whether the field stands in the row itself or in its summary."""
    return "." not in name.removeprefix("summary.")


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _listed(names: Sequence[str | None]) -> str:
    shown = ", ".join(str(name) if str(name).isprintable() else show(name) for name in names[:5])
    return shown + (" ..." if len(names) > 5 else "")
