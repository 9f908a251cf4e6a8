"""Small batches of which evidence can be given: labels that follow a hidden quality, a scorer that sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.builders import write_json, write_jsonl
from tests.support.processes import second_opinion
from tests.support.shared import once

CLIPS = 64
CONTENTS = 32


def evidence_batch(folder: Path, *tables: str, leak: bool = False, **evidence: Any) -> Path:
    """A manifest `m.json` of tables (`a` unless named), each with its own features, labels and scorer `nr`.

    :param leak: add a scorer `leak`, whose score is the label.
    :param evidence: changes the tables' `evidence`.
    """
    asked = {"target": "mos", "group": "content", "features": ["f*"]} | evidence
    entries = []
    for table in tables or ("a",):
        write_corpus(folder, table)
        scores = [f"nr={table}/nr.jsonl"] + ([f"leak={table}/leak.jsonl"] if leak else [])
        entry = {
            "id": table,
            "features": f"{table}/features.jsonl",
            "scores": scores,
            "out": f"joined/{table}.jsonl",
        }
        entries.append(
            entry | {"evidence": {name: value for name, value in asked.items() if value is not None}}
        )
    manifest = {"scorers": {"nr": {"direction": "higher", "scale": [-9, 9]}}, "tables": entries}
    return write_json(folder / "m.json", manifest)


def write_corpus(folder: Path, table: str, seed: int = 0) -> None:
    """Features, labels and sidecars of one table, two clips per content."""
    chance = np.random.default_rng([seed, *table.encode()])
    quality = chance.normal(size=CLIPS)
    labels = 3 + quality + 0.2 * chance.normal(size=CLIPS)
    blur = 0.5 * quality + chance.normal(size=CLIPS)
    seen = quality + 0.1 * chance.normal(size=CLIPS)
    rows = [
        {"clip_id": f"c{clip}", "content": f"s{clip % CONTENTS}", "mos": labels[clip], "f_blur": blur[clip]}
        for clip in range(CLIPS)
    ]
    write_jsonl(folder / table / "features.jsonl", rows)
    for name, scores in (("nr", seen), ("leak", 10 * labels)):
        scored = [{"clip_id": f"c{clip}", "score": scores[clip]} for clip in range(CLIPS)]
        write_jsonl(folder / table / f"{name}.jsonl", scored)


def given_evidence(temporary: pytest.TempPathFactory, *tables: str) -> Path:
    """The folder of a batch of these tables with all its evidence, to read and to copy; `printed` has what it printed."""

    def make(folder: Path) -> None:
        ended = second_opinion(folder, "impact", str(evidence_batch(folder, *tables)))
        assert ended.returncode == 0, ended.stderr
        (folder / "printed").write_text(ended.stdout, "utf-8")

    return once(temporary, f"evidence-{'-'.join(tables)}", make)


def document(folder: Path, name: str) -> dict[str, Any]:
    """A document of the batch's evidence: `audit`, `impact`, `audit.failed`."""
    found: dict[str, Any] = json.loads((folder / f"m.{name}.json").read_text("utf-8"))
    return found
