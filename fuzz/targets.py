"""Bytes -> files of a user -> what reads them; anything but a result or one of our errors is a fault.

The first bytes choose the format and the options, the rest is the file. `tests/whole/test_hostile.py` replays what was found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import SecondOpinionError
from pipeline.join.materialize import materialize
from pipeline.join.sidecars.read import read_sidecar
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from pipeline.report.status import batch_status
from pipeline.storage.dialect import TextSettings

_First = TypeVar("_First")
_Second = TypeVar("_Second")

SIDECARS = ("jsonl", "json", "csv", "tsv", "jsonl.gz", "json.zst", "csv.gz", "tsv.zst")
ENTRIES: tuple[tuple[SidecarEntry, JoinOptions], ...] = (
    (SidecarEntry("", label="a"), JoinOptions()),
    (SidecarEntry(""), JoinOptions(key_normalize="stem")),
    (SidecarEntry("", label="a"), JoinOptions(score_field="a.b", score_key_field="k")),
    (SidecarEntry("", label="a", key_from="file"), JoinOptions(key_normalize="basename")),
    (SidecarEntry("", label="a", score_fields=(("x", "a"), ("y", "a.b"))), JoinOptions()),
    (SidecarEntry("", label="a", key_field="k"), JoinOptions(score_key_regex="(a|[0-9]+)")),
)
SHAPE_ENTRIES = (
    *ENTRIES,
    (SidecarEntry("", label="a", score_field="frames[].m.v"), JoinOptions()),
    (SidecarEntry("", label="a", key_field="path"), JoinOptions()),
)
SIDECAR_TEXTS = (
    TextSettings(),
    TextSettings(delimiter=";", decimal=","),
    TextSettings(columns=("path", "score")),
    TextSettings(decimal=",", columns=("clip_id", "score", "status")),
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
    _read(content[2:], form, choice, folder)


def shapes(content: bytes, folder: Path) -> None:
    """Read a JSON document as rows, a map or a table: the first byte is its format, the second its entry."""
    form, choice = _chosen(content, ("json", "jsonl"), SHAPE_ENTRIES)
    _read(content[2:], form, choice, folder)


def delimited(content: bytes, folder: Path) -> None:
    """Read delimited text: the first byte is its format, the second what its entry sets."""
    form, settings = _chosen(content, ("csv", "tsv"), SIDECAR_TEXTS)
    _read(content[2:], form, (SidecarEntry("", label="a", text=settings), JoinOptions()), folder)


def columns(content: bytes, folder: Path) -> None:
    """Read Parquet: the first byte is its entry."""
    _, choice = _chosen(b"\0" + content, ("parquet",), SHAPE_ENTRIES)
    _read(content[1:], "parquet", choice, folder)


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
    """Check a manifest, and report the state of its batch."""
    (folder / "m.json").write_bytes(content)
    (folder / "f.jsonl").write_bytes(SOUND)
    (folder / "s.jsonl").write_bytes(SOUND)
    with contextlib.suppress(SecondOpinionError):
        batch_status(load_manifest(folder / "m.json"))


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    "columns": columns,
    "delimited": delimited,
    "manifest": manifest,
    "shapes": shapes,
    "sidecar": sidecar,
    "table": table,
}


def _read(content: bytes, form: str, choice: tuple[SidecarEntry, JoinOptions], folder: Path) -> None:
    """Read a sidecar of that format and content in full."""
    entry, options = choice
    path = folder / f"s.{form}"
    path.write_bytes(content)
    with contextlib.suppress(SecondOpinionError):
        for scores in read_sidecar(replace(entry, path=path.name), folder, options):
            for column in scores.records.columns:
                column.validate(full=True)
            if scores.key_field:
                scores.side.read()
                scores.bad_statuses()


def _chosen(content: bytes, first: tuple[_First, ...], second: tuple[_Second, ...]) -> tuple[_First, _Second]:
    one, other = (content + b"\0\0")[:2]
    return first[one % len(first)], second[other % len(second)]
