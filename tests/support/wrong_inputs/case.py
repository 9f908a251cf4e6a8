"""One wrong input: sound files, what is changed in them, and what the command must answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUN = ("run", "m.json")
JOIN = ("join", "--features", "features.jsonl", "--scores", "dover=dover.jsonl", "--out", "joined/t.jsonl")


@dataclass(frozen=True)
class Case:
    """Files that are sound but for one thing, and the command that meets it.

    Attributes:
        name: what is wrong.
        says: a regular expression that stderr must match; `.` matches line ends too.
        files: what stands beside or in place of the sound files; None: a folder.
        argv: the command.
        code: what it must end with.
        locked: a file that nobody may read.
    """

    name: str
    says: str
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)
    argv: tuple[str, ...] = RUN
    code: int = 1
    locked: str = ""

    def write(self, folder: Path) -> None:
        """Write the sound files as the case changes them."""
        for name, content in {**SOUND, **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.mkdir()
            else:
                path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        if self.locked:
            (folder / self.locked).chmod(0)


def lines(*rows: object) -> str:
    """JSON values, one a line."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(**changes: object) -> dict[str, Any]:
    """The manifest's entry of a sound table, with changes; a key whose value is `...` is left out."""
    entry: dict[str, Any] = {
        "id": "t",
        "features": "features.jsonl",
        "scores": ["dover=dover.jsonl"],
        "out": "joined/t.jsonl",
        "audit_json": "joined/t.audit.json",
    }
    return {name: value for name, value in (entry | changes).items() if value is not ...}


def manifest(*tables: Mapping[str, Any], **defaults: object) -> dict[str, str]:
    """The file `m.json` with these tables."""
    return {"m.json": json.dumps({"defaults": defaults, "tables": tables})}


def features(content: str | bytes | None, name: str, **changes: object) -> dict[str, str | bytes | None]:
    """The feature table `name` with this content, and the manifest that joins it."""
    return {name: content, **manifest(table(features=name, **changes))}


def scores(*rows: object) -> dict[str, str | bytes | None]:
    """The sidecar `dover.jsonl` with these rows in place of the sound ones."""
    return {"dover.jsonl": lines(*rows)}


SOUND: dict[str, str | bytes | None] = {
    "features.jsonl": lines(*({"clip_id": f"c{row}", "f": row / 2} for row in range(3))),
    "dover.jsonl": lines(*({"clip_id": f"c{row}", "score": row * 10} for row in range(3))),
    **manifest(table()),
}
"""A batch without a fault, which each case changes."""
