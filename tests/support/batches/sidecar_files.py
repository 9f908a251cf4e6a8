"""Sidecars: an entry of `scores`, and the files that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.support.batches.feature_files import packed
from tests.support.batches.odds import once_in, one_of, some_of, weighted
from tests.support.batches.sidecar_contents import Rows, contents
from tests.support.batches.sidecar_rows import ASPECTS, Row, Shape, sound_rows, spoiled
from tests.support.batches.spelling import Keys


@dataclass(frozen=True)
class Sidecar:
    """An entry as a manifest names it, and its files."""

    entry: str | dict[str, Any]
    files: dict[str, bytes | pa.Table]


@st.composite
def sidecars(draw: st.DrawFn, keys: Keys, scorer: str, index: int, options: Mapping[str, Any]) -> Sidecar:
    """A sidecar of most clips, which seldom is faulty."""
    form = weighted(draw, {"jsonl": 5, "json": 5, "csv": 3, "tsv": 1, "parquet": 2})
    entry: dict[str, Any] = {"label": scorer} if not once_in(draw, 4) else {}
    from_files = form == "json" and options.get("key_normalize") == "stem" and once_in(draw, 3)
    shape = draw(shapes(keys, scorer, entry, options, flat=form in ("csv", "tsv"), from_files=from_files))
    clips = some_of(draw, keys.clips)
    rows: list[Row | str] = [draw(sound_rows(keys, clip, shape)) for clip in clips]
    if from_files:
        parts: list[Rows] = [[row] for row in rows]
        names = [f"nr{index}/{clip}.json" for clip in clips]
        entry |= {"path": f"nr{index}/*.json", "key_from": "file"}
    else:
        rows = draw(sprinkled(rows, keys, shape))
        parts, names = draw(placed(rows, form, index, entry))
    files: dict[str, bytes | pa.Table] = {}
    for name, part in zip(names, parts, strict=True):
        content, settings = draw(contents(part, form, scorer, shape.key))
        whole, packed_content = packed(draw, name, content) if isinstance(content, str) else (name, content)
        files[whole] = packed_content
        entry |= settings
    if len(files) == 1 and "*" not in entry["path"]:
        entry["path"] = next(iter(files))
    return Sidecar(as_named(draw, entry), files)


@st.composite
def shapes(
    draw: st.DrawFn,
    keys: Keys,
    scorer: str,
    entry: dict[str, Any],
    options: Mapping[str, Any],
    *,
    flat: bool,
    from_files: bool,
) -> Shape:
    """Where the rows hold what; adds to the entry what it must say of it."""
    key: str | None = options.get("score_key_field") or keys.scores.field
    key_inside = False
    if from_files:
        key = None
    elif once_in(draw, 6):
        key = entry["key_field"] = one_of(draw, "id", "meta.clip", "meta.video path")
    elif "score_key_field" not in options and not flat:
        key_inside = once_in(draw, 6)
    score = options.get("score_field") or weighted(
        draw,
        {"score": 4, "predicted_mos": 1, "MOS": 1, "vmaf": 1}
        | ({} if flat else {"summary.score": 1, "frames": 2}),
    )
    explicit = "score_field" in options
    if once_in(draw, 6):
        score = entry["score_field"] = one_of(
            draw,
            "pooled_metrics.vmaf.mean",
            "overall",
            "score",
            *(() if flat else ("per[].metrics.vmaf", "in.per[]")),
        )
        explicit = True
    elif once_in(draw, 6):
        score, entry["score_fields"], explicit = "", dict(ASPECTS), True
    named = "label" not in entry or once_in(draw, 5)
    competitor = one_of(draw, scorer, scorer, scorer.upper().replace("-", " ")) if named else None
    return Shape(flat, key, key_inside, score, competitor, explicit)


@st.composite
def sprinkled(draw: st.DrawFn, rows: list[Row | str], keys: Keys, shape: Shape) -> list[Row | str]:
    """The rows with some for clips that no table has, and seldom with faults."""
    rows = list(rows)
    if shape.competitor is not None and once_in(draw, 10):
        rows += [row | {"competitor": "NR metric"} for row in rows if isinstance(row, dict)]
    if once_in(draw, 4):
        rows.append(draw(sound_rows(keys, "unused", shape)))
    if once_in(draw, 10):
        for _ in range(draw(st.integers(1, 2))):
            place = draw(st.integers(0, len(rows) - 1))
            row = rows[place]
            rows[place] = row if isinstance(row, str) else spoiled(draw, row, shape)
    if once_in(draw, 40):
        rows.append(draw(st.sampled_from(rows)))
    if once_in(draw, 40):
        rows.append(draw(sound_rows(keys, keys.clips[0], shape)))
    return [] if once_in(draw, 60) else rows


@st.composite
def placed(
    draw: st.DrawFn, rows: list[Row | str], form: str, index: int, entry: dict[str, Any]
) -> tuple[list[Rows], list[str]]:
    """The rows of each file, and the files' names; adds the path to the entry."""
    if once_in(draw, 8) and rows:
        middle = draw(st.integers(0, len(rows)))
        deeper = one_of(draw, "", "deeper/")
        entry["path"] = f"nr{index}/{'**/' if deeper else ''}*.{form}"
        return [rows[:middle], rows[middle:]], [f"nr{index}/a.{form}", f"nr{index}/{deeper}b.{form}"]
    name = f"s{index}.{form}"
    if form == "jsonl":
        name = weighted(draw, {name: 6, f"s{index}.ndjson": 1, f"a={index}.jsonl": 1})
    if once_in(draw, 12):
        name, entry["format"] = f"s{index}.txt", form
    entry["path"] = name
    return [rows], [name]


def as_named(draw: st.DrawFn, entry: dict[str, Any]) -> str | dict[str, Any]:
    """The entry as a text where that says all, else as an object."""
    if set(entry) - {"label"} != {"path"} or once_in(draw, 3):
        return entry
    return f"{entry['label']}={entry['path']}" if "label" in entry else str(entry["path"])
