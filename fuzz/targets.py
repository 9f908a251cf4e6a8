"""Bytes -> files of a user -> what reads them; anything but a result or one of our errors is a fault.

The first bytes choose the format and the options, the rest is the file. `tests/test_hostile.py` replays what was found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pipeline.entries import ScoreEntry
from pipeline.errors import SecondOpinionError
from pipeline.manifest import load_manifest
from pipeline.materializer import materialize
from pipeline.options import JoinOptions
from pipeline.sidecars import read_sidecar
from pipeline.status import batch_status

_First = TypeVar("_First")
_Second = TypeVar("_Second")

SIDECARS = ("jsonl", "json", "csv", "tsv", "jsonl.gz", "json.zst", "csv.gz", "tsv.zst")
ENTRIES: tuple[tuple[ScoreEntry, JoinOptions], ...] = (
    (ScoreEntry("", label="a"), JoinOptions()),
    (ScoreEntry(""), JoinOptions(key_normalize="stem")),
    (ScoreEntry("", label="a"), JoinOptions(score_field="a.b", score_key_field="k")),
    (ScoreEntry("", label="a", key_from="file"), JoinOptions(key_normalize="basename")),
    (ScoreEntry("", label="a", score_fields=(("x", "a"), ("y", "a.b"))), JoinOptions()),
    (ScoreEntry("", label="a", key_field="k"), JoinOptions(score_key_regex="(a|[0-9]+)")),
)
TABLES = ("jsonl", "json", "csv", "tsv", "jsonl.gz", "csv.zst")
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"decimal": ","},
    {"delimiter": ";"},
    {"delimiter": "|", "decimal": ","},
    {"columns": ["clip_id", "x"]},
    {"columns": ["clip_id"], "delimiter": "\t"},
)
OUTPUTS = ("jsonl", "json", "csv", "parquet")
SOUND = b'{"clip_id": "a", "score": 1}\n'


def sidecar(content: bytes, folder: Path) -> None:
    """Read a sidecar: the first byte is its format, the second its entry and options."""
    form, choice = _chosen(content, SIDECARS, ENTRIES)
    entry, options = choice
    path = folder / f"s.{form}"
    path.write_bytes(content[2:])
    with contextlib.suppress(SecondOpinionError):
        for scores in read_sidecar(ScoreEntry(**vars(entry) | {"path": path.name}), folder, options):
            for column in (scores.keys, scores.score, scores.bad, scores.runtime_ms, scores.frames):
                column.validate(full=True)
            if scores.key_field:
                scores.side.read()


def table(content: bytes, folder: Path) -> None:
    """Join a sidecar onto a feature table: the first byte is its format and how it is written, the second that of
    the joined table.
    """
    form, out = _chosen(content, TABLES, OUTPUTS)
    written = SETTINGS[content[:1][0] // len(TABLES) % len(SETTINGS)] if content else {}
    settings = written if form.startswith(("csv", "tsv")) else {}
    (folder / f"f.{form}").write_bytes(content[2:])
    (folder / "s.jsonl").write_bytes(SOUND)
    options = JoinOptions(missing_policy="mark")
    with contextlib.suppress(SecondOpinionError):
        materialize(
            {"path": f"f.{form}"} | settings, ["dover=s.jsonl"], f"o.{out}", options=options, base_dir=folder
        )


def manifest(content: bytes, folder: Path) -> None:
    """Check a manifest, and say how its batch stands."""
    (folder / "m.json").write_bytes(content)
    (folder / "f.jsonl").write_bytes(SOUND)
    (folder / "s.jsonl").write_bytes(SOUND)
    with contextlib.suppress(SecondOpinionError):
        batch_status(load_manifest(folder / "m.json"))


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    "manifest": manifest,
    "sidecar": sidecar,
    "table": table,
}


def _chosen(content: bytes, first: tuple[_First, ...], second: tuple[_Second, ...]) -> tuple[_First, _Second]:
    one, other = (content + b"\0\0")[:2]
    return first[one % len(first)], second[other % len(second)]
