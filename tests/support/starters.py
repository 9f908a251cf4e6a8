"""Folders for `init`, and what comes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import (
    run_main,
    run_manifest,
    write_jsonl,
)


def features(path: Path, names: list[str], column: str = "clip_id", **more: Any) -> Path:
    """A feature table: a key and two measures."""
    rows = [{column: name, "blur": row / 2, "noise": row / 3, **more} for row, name in enumerate(names)]
    return write_jsonl(path, rows)


def init(folder: Path, capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[dict[str, Any], str]:
    """The tables of the manifest that `init` writes, by id, and what it prints; the manifest passes `check`."""
    ended = run_main(capsys, "init", folder, *argv)
    assert (ended.code, ended.err) == (0, "")
    manifest = Path(str(argv[1])) if argv else folder / "second-opinion.json"
    assert run_main(capsys, "check", manifest).code == 0
    return {table["id"]: table for table in json.loads(manifest.read_text("utf-8"))["tables"]}, ended.out


def counts(manifest: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Matched and missing rows per table and scorer, of a complete run."""
    result = run_manifest(manifest)
    assert result.exit_code == 0, result.report
    return {
        table["id"]: {
            label: (each["matched_rows"], each["missing_rows"])
            for label, each in table["summary"]["competitors"].items()
        }
        for table in result.report["tables"]
    }
