"""Small inputs, and the command run in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.join.materialize import materialize
from pipeline.join.sidecars.fields import Row
from pipeline.join.sidecars.record import ScoreRow
from pipeline.join.sidecars.scores import ScoreReader
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from pipeline.storage.locations import Location
from pipeline.tasks.run import BatchResult, run_batch

DOVER = SidecarEntry("dover.jsonl", label="dover")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A JSONL file with one object per line."""
    return write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_json(path: Path, value: object) -> Path:
    """A JSON file with one document."""
    return write_text(path, json.dumps(value))


def write_text(path: Path, text: str) -> Path:
    """A text file; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def write_manifest(path: Path, tables: Sequence[Mapping[str, Any]], **defaults: object) -> Path:
    """A manifest of `tables` under `defaults`."""
    return write_json(path, {"defaults": defaults, "tables": list(tables)})


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def small_batch(folder: Path, rows: int = 3, **table: object) -> Path:
    """A manifest `m.json` of one JSONL table `t` of clips c0, c1 ... and one sidecar of scorer `dover`."""
    write_jsonl(folder / "features.jsonl", [{"clip_id": f"c{row}", "f": row / 2} for row in range(rows)])
    write_jsonl(folder / "dover.jsonl", [{"clip_id": f"c{row}", "score": row * 10} for row in range(rows)])
    entry = {
        "id": "t",
        "features": "features.jsonl",
        "scores": ["dover=dover.jsonl"],
        "out": "joined/t.jsonl",
    }
    return write_manifest(folder / "m.json", [entry | table])


def run_main(capsys: pytest.CaptureFixture[str], *argv: object) -> Ended:
    """Run the command in this process, as its entry point would."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in argv])
    printed = capsys.readouterr()
    code = ended.value.code
    return Ended(code if isinstance(code, int) else 1, printed.out, printed.err)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its content, hidden ones included."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def join_features(
    features: Path,
    out: str,
    scores: Sequence[Mapping[str, Any]] = ({"clip_id": "c0", "score": 1},),
    **options: Any,
) -> Path:
    """Join `scores` of the scorer `dover` onto `features`; gives the joined table, which stands beside it."""
    folder = features.parent
    write_jsonl(folder / "dover.jsonl", scores)
    chosen = JoinOptions(**({"missing_policy": "mark"} | options))
    materialize(features.name, ["dover=dover.jsonl"], out, options=chosen, base_dir=folder)
    return folder / out


def joined(
    folder: Path,
    features: Iterable[Mapping[str, Any]],
    scores: Mapping[str, Iterable[Mapping[str, Any]]],
    **options: Any,
) -> list[dict[str, Any]]:
    """The rows of `features` with the scores of one sidecar per label, `<label>.jsonl`; missing rows are marked."""
    write_jsonl(folder / "features.jsonl", features)
    for label, rows in scores.items():
        write_jsonl(folder / f"{label}.jsonl", rows)
    materialize(
        "features.jsonl",
        [f"{label}={label}.jsonl" for label in scores],
        "out.jsonl",
        audit_json="audit.json",
        options=JoinOptions(**({"missing_policy": "mark"} | options)),
        base_dir=folder,
    )
    return read_jsonl(folder / "out.jsonl")


def clips(*names: object, **fields: object) -> list[dict[str, Any]]:
    """One row per clip of these names, with `clip_id` and the same further fields."""
    return [{"clip_id": name, **fields} for name in names]


def score_rows(row: Row, entry: SidecarEntry = DOVER, options: JoinOptions | None = None) -> list[ScoreRow]:
    """What a row of a sidecar says, once per aspect of its entry."""
    return ScoreReader(entry, options or JoinOptions()).read(row, entry.path)


def score_row(row: Row, entry: SidecarEntry = DOVER, options: JoinOptions | None = None) -> ScoreRow:
    """What a row of a sidecar says, in an entry without aspects."""
    (found,) = score_rows(row, entry, options)
    return found


def scored(**fields: Any) -> ScoreRow:
    """What a row with these fields says of the clip `c`."""
    return score_row({"clip_id": "c"} | fields)


def run_manifest(
    manifest: Path,
    *,
    base_dir: Path | None = None,
    report_json: Path | None = None,
    report_md: Path | None = None,
    **how: Any,
) -> BatchResult:
    """Run the batch of a manifest in this process."""
    return run_batch(load_manifest(manifest, base_dir, report_json, report_md), **how)


def local(place: Location) -> Path:
    """A place that is a local path."""
    assert isinstance(place, Path)
    return place


def lasting(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its content but those that two equal runs do not share.

    These are the run log, the lock and the project's own records.
    """
    return {
        name: content
        for name, content in tree(folder).items()
        if not name.endswith((".run-log.jsonl", ".lock")) and "/." not in f"/{name}"
    }


def table_entry(name: str, **changed: Any) -> dict[str, Any]:
    """The table `name` of `batch_of` as its manifest has it."""
    return {
        "id": name,
        "features": f"{name}.jsonl",
        "scores": [f"dover={name}.dover.jsonl"],
        "out": f"out/{name}.parquet",
        "audit_json": f"out/{name}.audit.json",
        **changed,
    }


def batch_of(folder: Path, names: Iterable[str]) -> Path:
    """A manifest `m.json` of tables of two clips, each with a feature table, a sidecar and an audit of its own."""
    for name in names:
        write_jsonl(folder / f"{name}.jsonl", clips("c0", "c1"))
        write_jsonl(folder / f"{name}.dover.jsonl", clips("c0", "c1", score=1))
    return write_manifest(folder / "m.json", [table_entry(name) for name in names])


def stamps(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What shows any write below `folder`, hidden files and folders included: inode, mtime and ctime of each."""
    found = {path.relative_to(folder).as_posix(): path.lstat() for path in [folder, *folder.rglob("*")]}
    return {name: (each.st_ino, each.st_mtime_ns, each.st_ctime_ns) for name, each in found.items()}


def edit_unseen(path: Path, old: bytes, new: bytes) -> None:
    """Change the content of a file, and neither its size nor its time of change."""
    found = path.stat()
    content = path.read_bytes()
    assert old in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new, 1))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def forking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several workers make even the smallest tables in processes of their own."""
    monkeypatch.setattr("pipeline.tasks.shared.SMALL_BYTES", -1)
