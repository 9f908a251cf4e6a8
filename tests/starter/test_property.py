"""`init` on folders of any files: what it writes passes `check`, and runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.starter import write_starter
from tests.support.builders import local, run_manifest, tree, write_text

KEYS = st.sampled_from(
    ["a", "b", "c", "d/a.mp4", "d/b.mp4", "a.mp4", "a_crf.mp4", "b_crf.mp4", "1", "2", " a ", ""]
)
SCORES = st.one_of(st.floats(-5, 5), st.sampled_from([1, "2.5", None, "x", True]))
FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "clip_id": KEYS,
    "vid": KEYS,
    "path": KEYS,
    "name": KEYS,
    "score": SCORES,
    "quality": SCORES,
    "mos": SCORES,
    "aesthetic score": SCORES,
    "technical score": SCORES,
    "blur": SCORES,
    "noise": SCORES,
    "competitor": st.sampled_from(["DOVER", "dover", "MUSIQ", "", "="]),
    "status": st.sampled_from(["ok", "failed", None]),
    "summary": st.fixed_dictionaries(
        {}, optional={"competitor": st.just("NR"), "score": SCORES, "path": KEYS}
    ),
    "frames": st.lists(st.fixed_dictionaries({"score": SCORES}), max_size=2),
    "second_opinion_dover_score": SCORES,
}
NAMES = st.sampled_from(
    [
        "features.jsonl",
        "x/features.jsonl",
        "dover.jsonl",
        "x/dover.jsonl",
        "x/dover.json",
        "a=b.jsonl",
        "b.jsonl",
        "joined/t.jsonl",
        "joined/x.json",
        "nr/a.json",
        "nr/b.json",
        "nr/c.json",
        "a.json",
        "b.json",
        "second-opinion.report.json",
        "dover.csv",
        "x/uvq.csv",
        "map.json",
        "vmaf/a_1.5_x.json",
        "vmaf/b_2.5_x.json",
        "vmaf/a_1.5_y.json",
        "[1] ü.jsonl",
        ".hidden/c.jsonl",
        "=.jsonl",
    ]
)
ROWS = st.sets(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=6).flatmap(
    lambda names: st.lists(st.fixed_dictionaries({name: FIELDS[name] for name in sorted(names)}), max_size=5)
)
SOUND: dict[str, list[dict[str, Any]]] = {
    "features.jsonl": [{"vid": each, "blur": 0.5, "noise": 1.5} for each in "ab"],
    "dover.jsonl": [{"path": f"d/{each}.mp4", "score": 1.5} for each in "ab"],
}
# Folders of any files seldom hold two that meet.
FILES = st.builds(
    lambda sound, others: sound | others,
    st.sampled_from([SOUND, SOUND, {}]),
    st.dictionaries(NAMES, ROWS, max_size=8),
)


def content(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows in the format that the name stands for: one object a file, a map, with or without a header, as JSON."""
    if name.endswith(".jsonl"):
        return "".join(f"{json.dumps(row)}\n" for row in rows)
    if name.endswith(".csv"):
        cells = [[*rows[0]], *([*row.values()] for row in rows)] if rows else []
        lines = cells[1:] if "uvq" in name else cells
        return "".join(";".join(str(cell) for cell in line) + "\n" for line in lines)
    if name == "map.json":
        return json.dumps({str(row.get("path", number)): row for number, row in enumerate(rows)})
    return json.dumps(rows[0] if rows and name.startswith(("nr/", "vmaf/")) else rows)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(files=FILES)
@example(files=SOUND)
@example(files=SOUND | {"x/features.jsonl": [{"vid": "a", "blur": 0.5, "noise": 1.5, "hdr": {}}]})
@example(files=SOUND | {"second-opinion.report.json": [{"vid": "a", "blur": 0.5, "noise": 1.5}]})
@example(
    files={"dover.jsonl": SOUND["dover.jsonl"], "second-opinion.report.json": [{"clip_id": "a", "mos": 0.0}]}
)
@example(files=SOUND | {f"nr/{each}.json": [{"frames": [{"score": 1}], "competitor": "NR"}] for each in "ab"})
def test_what_is_written_is_sound(files: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A manifest that `init` writes has no fault and completes, whatever else stands there; else nothing is written."""
    folder: Path = tmp_path_factory.mktemp("folder")
    for name, rows in files.items():
        write_text(folder / name, content(name, rows))
    before = tree(folder)
    try:
        started = write_starter(folder)
    except UsageError:
        assert tree(folder) == before
        return
    assert {name for name in tree(folder) if name not in before} == {"second-opinion.json"}
    result = run_manifest(local(started.manifest))
    assert result.exit_code == 0, result.report
