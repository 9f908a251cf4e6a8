"""The fields of a text file by their possible meaning: key, score, human label, bookkeeping, measure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import show
from ...join import keys
from ...join.sidecars.fields import RUNTIME_FIELDS, SCORE_FIELDS, Row
from ...join.sidecars.numbers import finite_number
from ...join.sidecars.scores import named
from ...manifest.declarations import slug
from .samples import Sample

_MAX_KEYS = 3
_MAX_COLUMNS = 20
_BOOKKEEPING = frozenset({"competitor", "status", "frames", *RUNTIME_FIELDS})
_LABEL_WORDS = frozenset(
    {"mos", "dmos", "gt", "label", "labels", "rating", "ratings", "sos", "target", "subjective"}
)
_KEY_WORDS = frozenset({"id", "vid", "video", "clip", "name", "file", "path", "key", "image", "img"})
_MEASURED = (
    r"^[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?$|^[+-]?[0-9]+(?:\.[0-9]*)?[eE][+-][0-9]+$|^(?i:nan|[+-]?inf)$"
)
_SMALL = r"^[0-9]{1,4}$"
_PREDICTIONS = (*(each for each in SCORE_FIELDS if each != "mos"), "mos")


@dataclass(frozen=True)
class ScoreSetting:
    """The settings of the score in an entry.

    Attributes:
        score_field: as in an entry.
        score_fields: as in an entry.
        notes: the reasons for these settings.
    """

    score_field: str | None = None
    score_fields: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class Fields:
    """The fields of a text file by their possible meaning.

    Attributes:
        exact: fields with the usual name of a score.
        labels: fields that may be the human label.
        worded: other fields with the word score in their names.
        pooled: fields that libvmaf pools over the frames.
        measures: other fields with measured numbers.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._rows = sample.rows
        numeric = [name for name in sample.columns if self._is_numeric(name)]
        self.exact = [name for name in numeric if _is_near(name) and _last(name) in SCORE_FIELDS]
        beside = [name for name in numeric if name not in self.exact and not _is_bookkeeping(name)]
        self.labels = [name for name in beside if is_label(name)]
        others = [name for name in beside if name not in self.labels]
        self.worded = [name for name in others if "score" in words(name)]
        self.pooled = [name for name in others if name.startswith("pooled_metrics.")]
        named_so = (*self.worded, *self.pooled)
        self.measures = [name for name in others if name not in named_so and self._is_measure(name)]

    @functools.cached_property
    def scorers(self) -> tuple[str, ...]:
        """The scorers that the rows name; empty unless every row names one."""
        fields = [
            name for name in self._sample.columns if name.lower() in ("competitor", "summary.competitor")
        ]
        found = [next(filter(None, (named(row.get(name)) for name in fields)), None) for row in self._rows]
        return tuple(sorted(set(filter(None, found)))) if all(found) else ()

    @functools.cached_property
    def framed(self) -> bool:
        """True if rows contain scores of frames."""
        return any(
            isinstance(frame, dict) and any(name.lower() in SCORE_FIELDS for name in frame)
            for row in self._rows
            for frame in _first_frame(row)
        )

    @functools.cached_property
    def in_frames(self) -> list[str]:
        """Paths of the numbers one level down in each frame, as libvmaf writes them; `vmaf` alone if it exists."""
        found = dict.fromkeys(
            f"frames[].metrics.{name}"
            for row in self._rows
            for frame in _first_frame(row)
            if isinstance(frame, dict) and isinstance(frame.get("metrics"), dict)
            for name, value in frame["metrics"].items()
            if finite_number(value) is not None
        )
        return [name for name in found if name == "frames[].metrics.vmaf"] or list(found)

    @property
    def is_strong(self) -> bool:
        """True if some field is surely a score."""
        return any(_last(name) in ("score", "predicted_mos", "predicted_vmaf_or_mos") for name in self.exact)

    @property
    def is_only_mos(self) -> bool:
        """True if the only score may be the human label."""
        return {_last(name) for name in self.exact} == {"mos"}

    def score_setting(self) -> ScoreSetting:
        """The settings that an entry needs for the score, with reasons."""
        if self.exact:
            rivals = sorted(self.exact, key=lambda name: _PREDICTIONS.index(_last(name)))
            if not self._compete():
                return ScoreSetting()
            note = (
                f"score_field {rivals[0]}: {listed(rivals[1:])} has other values and may be the human label"
            )
            return ScoreSetting(score_field=rivals[0], notes=(note,))
        if self.framed and not self.pooled:
            return ScoreSetting()
        fields = self._pooled_means() or self.worded or self.in_frames or self.measures
        if len(fields) == 1:
            note = f"score_field {fields[0]}: no field has a known name of a score"
            return ScoreSetting(score_field=fields[0], notes=(note,))
        if not fields:
            return ScoreSetting()
        note = f"score_fields: {len(fields)} scores in each row, each a scorer of its own"
        return ScoreSetting(score_fields=_aspects(fields), notes=(note,))

    def key_fields(self) -> list[str | None]:
        """Fields that may name the clip, best first; None: the field that a join finds by itself."""
        scores = {*self.exact, *self.worded, *self.pooled, *self.measures, *self.labels}
        held = [name for name in self._sample.columns if _is_bookkeeping(name)]
        found: list[str | None] = [*possible_keys(self._sample, [*scores, *held])]
        known = keys.pick([name.removeprefix("summary.") for name in self._sample.columns if _is_near(name)])
        if known is not None and not self._is_constant(known):
            found = [None, *(name for name in found if name not in (known, f"summary.{known}"))]
        return found[:_MAX_KEYS]

    def _is_constant(self, known: str) -> bool:
        """True if files of one clip each all have the same value: such a field does not name the clip."""
        held = [self._sample.texts.get(name) for name in (known, f"summary.{known}")]
        texts = next((each for each in held if each is not None), None)
        return self._sample.grouped and texts is not None and len(texts) > 1 and len(texts.unique()) == 1

    def _pooled_means(self) -> list[str]:
        """The path of the mean of each metric; of `vmaf` alone if it exists, as the others are parts of it."""
        means = [name for name in self.pooled if name.endswith(".mean")]
        return [name for name in means if name == "pooled_metrics.vmaf.mean"] or means

    def _compete(self) -> bool:
        """True if a row contains two scores that differ, which a join refuses."""
        for row in self._rows:
            values = {finite_number(row.get(name)) for name in self.exact} - {None}
            if len(values) > 1:
                return True
        return False

    def _is_numeric(self, name: str) -> bool:
        values = [value for row in self._rows if (value := row.get(name)) not in (None, "")]
        numbers = [value for value in values if isinstance(value, float) or finite_number(value) is not None]
        return bool(numbers) and len(numbers) * 2 > len(values)

    def _is_measure(self, name: str) -> bool:
        """True if the field is a measured number, and not an id or a count that names the row."""
        return not (
            _rank(name)[0] == 0 or (_KEY_WORDS & set(words(name)) and _may_be_key(self._sample, name))
        )


def words(name: str) -> list[str]:
    """The words of a field's name, lower case."""
    return re.findall(r"[a-z]+|[0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())


def can_name_clips(column: str, keys: pa.Array) -> bool:
    """True if keys (string) can name clips. Small numbers cannot, unless their column has the name of a key.

    Otherwise frame rates, heights and row numbers would match the numbers of some clips by chance.
    """
    small = pc.match_substring_regex(keys, _SMALL)
    return _rank(column) != (1, 0) or not len(keys) or small.true_count < len(keys)


def is_label(name: str) -> bool:
    """True if a field or file may be the human label by its name."""
    return bool(_LABEL_WORDS & set(words(name))) or name.lower().startswith("mos")


def possible_keys(sample: Sample, without: Iterable[str] = ()) -> list[str]:
    """The columns that may name the clip, best first: texts or whole numbers that are not all equal."""
    left_out = set(without)
    found = [name for name in sample.texts if name not in left_out and _may_be_key(sample, name)]
    return sorted(found, key=_rank)[:_MAX_COLUMNS]


def listed(names: Sequence[str | None]) -> str:
    """The first names, for a message."""
    shown = ", ".join(str(name) if str(name).isprintable() else show(name) for name in names[:5])
    return shown + (" ..." if len(names) > 5 else "")


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


def _first_frame(row: Row) -> Sequence[Any]:
    frames = next((value for name, value in row.items() if name.lower() == "frames"), None)
    return frames[:1] if isinstance(frames, list) else []


def _aspects(fields: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """A unique short name for each field: `overall` for `overall/final score`."""
    short = {field: _aspect(field) for field in fields}
    if len({slug(each) for each in short.values()}) < len(fields) or not all(map(slug, short.values())):
        short = {field: f"{slug(field) or 'score'}-{number}" for number, field in enumerate(fields, 1)}
    return tuple(sorted((aspect, field) for field, aspect in short.items()))


def _aspect(field: str) -> str:
    kept = field.removeprefix("pooled_metrics.").removeprefix("frames[].metrics.").removesuffix(".mean")
    kept = kept.partition("/")[0]
    left = [each for each in re.findall(r"[A-Za-z0-9+]+", kept) if each.lower() != "score"]
    return "-".join(left)


def _is_bookkeeping(name: str) -> bool:
    return name.lower().removeprefix("summary.") in _BOOKKEEPING


def _is_near(name: str) -> bool:
    """True if the field is in the row itself or in its summary."""
    return "." not in name.removeprefix("summary.")


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()
