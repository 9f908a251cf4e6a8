"""Whole batches: a feature table, one to three sidecars, options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from tests.support.batches.feature_files import feature_files
from tests.support.batches.odds import once_in, one_of, weighted
from tests.support.batches.sidecar_files import Sidecar, sidecars
from tests.support.batches.spelling import Keys, keys


@dataclass
class Batch:
    """What `materialize` is given, and the files it finds."""

    files: dict[str, bytes | pa.Table]
    features: str | dict[str, Any]
    scores: list[str | dict[str, Any]]
    out: str
    options: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write the files below `folder`."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                pq.write_table(content, path)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Batches of which about half can be joined."""
    held = draw(keys())
    options: dict[str, Any] = dict(held.options)
    options |= draw(field_options()) if once_in(draw, 5) else {}
    files: dict[str, bytes | pa.Table] = {}
    scores = []
    for index, (scorer, share) in enumerate(draw(shares(held))):
        sidecar: Sidecar = draw(sidecars(share, scorer, index, options))
        files |= sidecar.files
        scores.append(sidecar.entry)
    name, content, settings = draw(
        feature_files(held, f"{options.get('prefix', 'second_opinion')}_dover_score")
    )
    files[name] = content
    if once_in(draw, 15):
        del files[one_of(draw, *sorted(files))]
    out = weighted(draw, {f"out.{name.partition('.')[2]}": 4, "out.jsonl": 2, "out.parquet": 2, "out.csv": 2})
    options |= draw(join_options(held.features.field))
    features = {"path": name} | settings if settings else name
    batch = Batch(files, features, scores, out, options)
    return draw(unusable(batch)) if once_in(draw, 15) else batch


SCORERS = ["dover", "musiq", "Q-Align", "DOVER Mobile"]


@st.composite
def shares(draw: st.DrawFn, keys: Keys) -> list[tuple[str, Keys]]:
    """Which sidecar is to score which clips: one to three scorers, or one in two sidecars."""
    if once_in(draw, 10):
        middle = draw(st.integers(1, len(keys.clips) - 1))
        halves = (keys.clips[:middle], keys.clips[middle:])
        return [("dover", replace(keys, clips=half)) for half in halves]
    scorers = draw(st.permutations(SCORERS))
    return [(scorer, keys) for scorer in scorers[: weighted(draw, {1: 3, 2: 2, 3: 1})]]


@st.composite
def field_options(draw: st.DrawFn) -> dict[str, Any]:
    """Options that say how fields or columns are named."""
    return one_of(
        draw,
        {"prefix": "nr"},
        {"score_key_field": "id"},
        {"score_field": "s"},
        {"score_key_field": "meta.file"},
    )


@st.composite
def join_options(draw: st.DrawFn, key_column: str) -> dict[str, Any]:
    """Options that do not decide which keys meet."""
    options: dict[str, Any] = {"missing_policy": weighted(draw, {"mark": 5, "drop": 4, "fail": 1})}
    if once_in(draw, 8):
        options["min_coverage"] = one_of(draw, 0.25, 0.5, 2 / 3, 1.0)
    if once_in(draw, 3):
        options["overwrite"] = True
    if once_in(draw, 5):
        options["key_column"] = weighted(draw, {key_column: 6, "no such column": 1})
    return options


@st.composite
def unusable(draw: st.DrawFn, batch: Batch) -> Batch:
    """The batch with one argument that cannot be used."""
    wrong = one_of(draw, "out", "options", "entry")
    if wrong == "out":
        name = batch.features if isinstance(batch.features, str) else batch.features["path"]
        return replace(batch, out=one_of(draw, name, "out.txt", "out", "out.xlsx"))
    if wrong == "options":
        return replace(batch, options=batch.options | draw(st.sampled_from(WRONG_OPTIONS)))
    entry = {"path": "s.jsonl", "label": "dover"} | draw(st.sampled_from(WRONG_ENTRIES))
    return replace(batch, scores=[*batch.scores, one_of(draw, entry, "=s.jsonl", "dover=", "dover=s.dat")])


WRONG_OPTIONS: list[dict[str, Any]] = [
    {"min_coverage": 1.5},
    {"min_coverage": -0.25},
    {"key_regex": "(a)(b)"},
    {"score_key_regex": "a"},
    {"key_regex": "("},
]
WRONG_ENTRIES: list[dict[str, Any]] = [
    {"label": "!!"},
    {"path": "s.dat"},
    {"key_from": "file", "key_field": "id"},
    {"score_fields": {"?": "score"}},
    {"score_field": "score", "score_fields": {"a": "score"}},
    {"key_field": "frames[].name"},
    {"score_field": "shots[].frames[].vmaf"},
    {"columns": ["path", "score"]},
    {"path": "s.csv", "columns": ["path", "path"]},
    {"path": "s.csv", "delimiter": ",", "decimal": ","},
]
