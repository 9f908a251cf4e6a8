"""The demo's batch, one of many copies of its tables, and a table in shards: in a local folder and in a bucket."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import obstore
from obstore.store import S3Store

ROOT = Path(__file__).parents[2]
BUCKET = "demo"
COMMAND = (str(Path(sys.executable).with_name("second-opinion")),)
_COPIES = 10
_SHARDS, _ROWS = 40, 50


def copied(folder: Path) -> None:
    """Copy the demo's manifest and all that it reads into a folder, with two larger batches.

    `many.json` has many tables, `shards.json` one in many shards.
    """
    shutil.copy(ROOT / "manifests" / "demo.json", folder)
    shutil.copytree(ROOT / "manifests" / "demo", folder / "demo")
    manifest = json.loads((folder / "demo.json").read_text("utf-8"))
    manifest["tables"] = [_copy(table, number) for number in range(_COPIES) for table in manifest["tables"]]
    (folder / "many.json").write_text(json.dumps(manifest), "utf-8")
    _in_shards(folder)


def _in_shards(folder: Path) -> None:
    """A table in shards, and its manifest."""
    (folder / "demo" / "parts").mkdir()
    for shard in range(_SHARDS):
        rows = [{"clip_id": f"c{shard * _ROWS + row}", "f": row / 4} for row in range(_ROWS)]
        _write_lines(folder / "demo" / "parts" / f"part-{shard:02}.jsonl", rows)
    scores = [{"clip_id": f"c{clip}", "score": clip / 8} for clip in range(_SHARDS * _ROWS)]
    _write_lines(folder / "demo" / "parts.scores.jsonl", scores)
    table = {
        "id": "shards",
        "features": "demo/parts/*.jsonl",
        "scores": ["dover=demo/parts.scores.jsonl"],
        "out": "shards/",
        "audit_json": "shards/all.audit.json",
    }
    (folder / "shards.json").write_text(json.dumps({"tables": [table]}), "utf-8")


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def _copy(table: dict[str, Any], number: int) -> dict[str, Any]:
    places = {name: f"many/{number}/{table[name]}" for name in ("out", "audit_json") if table.get(name)}
    return table | places | {"id": f"{table['id']}-{number}"}


def run_locally(folder: Path, name: str) -> str:
    """Run a manifest of the folder; gives the digest of its report."""
    subprocess.run([*COMMAND, "run", f"{name}.json"], cwd=folder, check=True, capture_output=True)
    return hashlib.sha256((folder / f"{name}.report.json").read_bytes()).hexdigest()


class Stored:
    """The files in the bucket."""

    def __init__(self, endpoint: str, environ: dict[str, str]) -> None:
        self._store = S3Store(
            BUCKET,
            endpoint=endpoint,
            access_key_id=environ["AWS_ACCESS_KEY_ID"],
            secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
            region=environ["AWS_REGION"],
            client_options={"allow_http": True},
        )

    def fill(self, folder: Path) -> None:
        """Copy the inputs of the folder's batches."""
        for path in [*folder.glob("*.json"), *folder.glob("demo/**/*")]:
            if path.is_file() and ".report." not in path.name:
                obstore.put(self._store, path.relative_to(folder).as_posix(), path.read_bytes())

    def answers(self) -> bool:
        """Whether the store takes objects."""
        try:
            obstore.put(self._store, "ready", b"")
        except Exception:  # noqa: BLE001, RUF100  # until it is there it fails in many ways
            return False
        return True

    def names(self, folder: str = "") -> list[str]:
        """The names of the objects below a folder."""
        return [each["path"] for chunk in obstore.list(self._store, folder or None) for each in chunk]

    def clear(self, folder: str, stem: str) -> None:
        """Remove what runs of a batch have written."""
        gone = [
            name
            for name in self.names()
            if name.startswith(
                (f"{folder}/", f"{stem}.report", f".{stem}.", f"{stem}.lock", f"{stem}.run-log")
            )
        ]
        if gone:
            obstore.delete(self._store, gone)

    def report(self, stem: str) -> str:
        """The digest of the report; empty: there is none."""
        if f"{stem}.report.json" not in self.names():
            return ""
        content = obstore.get(self._store, f"{stem}.report.json").bytes()
        return hashlib.sha256(bytes(content)).hexdigest()
