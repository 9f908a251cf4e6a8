"""Decides by its fields whether a file is a feature table, a sidecar or neither, with the reason.

A sidecar has a field with the name of the scorer or with a score, and few others. A feature table has a key and many
columns. A field that may be the human label is never a score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from pipeline.errors import show
from pipeline.join.columns import APPENDED
from pipeline.join.sidecars.numbers import finite_number
from pipeline.join.sidecars.scores import is_ok
from pipeline.starter.files.fields import Fields, listed, possible_keys, words
from pipeline.starter.files.samples import Sample

Kind: TypeAlias = Literal["features", "sidecar", "neither"]

_MAX_MEASURES = 3
_GENERAL_WORDS = frozenset(
    {
        *("score", "scores", "quality", "mos", "predicted", "prediction", "pred", "value", "mean", "pooled"),
        *("metrics", "metric", "overall", "final", "result", "output", "summary", "technical", "aesthetic"),
    }
)


@dataclass(frozen=True)
class Finding:
    """The kind of a file, and what an entry needs.

    Attributes:
        kind: feature table, sidecar or neither.
        why: the reason.
        key_columns: columns that may be the key, best first; None in them: the field that a join finds by itself.
        by_file: True if each row's key may be the name of its file, which is tried first.
        scorers: the scorers that the rows name; empty: the entry needs a label.
        measured: the fields with scores.
        score_field: as in an entry, if it needs one.
        score_fields: (aspect, field) pairs, as in an entry.
        labels: True if it contains only keys and possible human labels.
        lone: True if it is Parquet with a key and one number, which may be a feature or a score.
        notes: further remarks for the user.
    """

    kind: Kind
    why: str
    key_columns: tuple[str | None, ...] = ()
    by_file: bool = False
    scorers: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    score_field: str | None = None
    score_fields: tuple[tuple[str, str], ...] = ()
    labels: bool = False
    lone: bool = False
    notes: tuple[str, ...] = ()

    @property
    def names_scorer(self) -> bool:
        """True if rows or fields name the scorer: `pooled_metrics.vmaf.mean` does, `score` does not."""
        distinctive = {word for name in self.measured for word in words(name)} - {"frames", "or"}
        return bool(self.scorers) or not distinctive <= _GENERAL_WORDS


def inspect(sample: Sample) -> Finding:
    """The finding about a file, by its sample."""
    if (own := _own(sample)) is not None:
        return Finding("neither", own)
    if not sample.rows:  # a sample of a very wide Parquet file has no rows
        return (
            _features(sample, "Parquet")
            if any(map(len, sample.texts.values()))
            else Finding("neither", "it has no row")
        )
    if header := [name for name in sample.columns if finite_number(name) is not None]:
        return Finding(
            "neither", f"it seems to have no header: found {show(header[0])} as the name of a field"
        )
    finding = _by_fields(sample)
    if sample.is_parquet and finding.kind == "neither" and not finding.labels:
        finding = _features(sample, "Parquet")
    if finding.kind == "neither" and sample.refused:
        return replace(finding, why=sample.refused)
    return replace(finding, why=f"{finding.why}; {sample.note}") if sample.note else finding


def as_features(sample: Sample, finding: Finding) -> Finding:
    """A file of human labels or of one number as a feature table, for a folder without any other."""
    if finding.lone:
        return _features(sample, "Parquet, and no file has more features")
    keys = listed(finding.key_columns)
    why = f"it has a human label, and no file has features; of its columns {keys} may be the key"
    return replace(finding, kind="features", why=why)


def may_be_of_one_clip(sample: Sample, finding: Finding) -> bool:
    """True if the file may be about one clip, with a score or with a failure of the scorer."""
    if not sample.is_single or _own(sample) is not None:
        return False
    has_failed = any(not is_ok(sample.rows[0].get(name)) for name in ("status", "summary.status"))
    return finding.kind == "sidecar" or has_failed or bool(Fields(sample).scorers)


def _by_fields(sample: Sample) -> Finding:
    fields = Fields(sample)
    if fields.scorers:
        return _sidecar(sample, fields, f"its rows name their scorer, {listed(fields.scorers)}")
    if fields.framed or fields.in_frames:
        return _sidecar(sample, fields, "its rows hold scores of frames")
    name = PurePosixPath(sample.name).name.lower()
    if "feature" in name or "feats" in name:
        return _features(sample, "its name says so")
    few = len(fields.measures) <= _MAX_MEASURES
    if fields.pooled or ((fields.is_strong or fields.worded) and few):
        held = listed([*fields.exact, *fields.worded, *fields.pooled])
        return _sidecar(sample, fields, f"it has {held} and little else")
    if fields.exact and not fields.measures:
        if fields.is_only_mos:
            return _labels(sample, fields)
        return _sidecar(sample, fields, f"it has {listed(fields.exact)} and little else")
    if len(fields.measures) == 1 and not fields.labels and not fields.exact:
        finding = _sidecar(sample, fields, f"it has one number beside its key, {fields.measures[0]}")
        return replace(finding, lone=sample.is_parquet)
    if sample.is_single and fields.measures and few and not possible_keys(sample, fields.measures):
        return _sidecar(
            sample, fields, f"it has {listed(fields.measures)} and no key, as files of one clip each have"
        )
    return _features(sample, "no scorer is named and it has many columns, or none that holds a score")


def _sidecar(sample: Sample, fields: Fields, why: str) -> Finding:
    setting = fields.score_setting()
    measured = (
        *filter(None, (setting.score_field,)),
        *(field for _, field in setting.score_fields),
    ) or tuple(fields.exact or (["frames"] if fields.framed else ()))
    if not measured:
        return Finding("neither", f"{why}, but no field holds a score")
    columns = fields.key_fields()
    if not columns and not sample.is_single:
        return Finding("neither", f"{why}, but no field can name the clips")
    return Finding(
        kind="sidecar",
        why=why,
        key_columns=tuple(columns),
        by_file=None not in columns and sample.is_single,
        scorers=fields.scorers,
        measured=measured,
        score_field=setting.score_field,
        score_fields=setting.score_fields,
        notes=setting.notes,
    )


def _features(sample: Sample, sign: str) -> Finding:
    found = possible_keys(sample)
    if found and all("frame" in name.lower() for name in found):
        return Finding(
            "neither", f"its rows are frames, numbered by {found[0]}; expected one row for each clip"
        )
    if not found:
        return Finding("neither", f"no column can name the clips (columns: {listed(sample.columns)})")
    why = f"{sign}; {len(sample.columns)} columns, of which {listed(found)} may be the key"
    return Finding("features", why, tuple(found))


def _labels(sample: Sample, fields: Fields) -> Finding:
    why = "its only score is mos, which may be the human label; add it by hand if not"
    keys = possible_keys(sample, [*fields.exact, *fields.labels])
    return Finding("neither", why, tuple(keys), labels=bool(keys))


def _own(sample: Sample) -> str | None:
    """The finding about a file of this project: an output or a manifest."""
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
        if prefix != name and held >= {f"{prefix}_{each}" for each in APPENDED.names}:
            return f"a joined table: it has the columns {prefix}_score, {prefix}_status ..."
    return None
