"""What was worked out for a batch's evidence: one file per table and kind, beside the project's other records.

A result belongs to an identity, which names all that it depends on; a result of another identity is none. The files may
be deleted: at worst what they told is worked out again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BatchError
from pipeline.storage import files, jsontext, writing
from pipeline.storage.jsontext import JsonObject


@dataclass(frozen=True)
class Result:
    """What was worked out under one identity, or why that failed.

    Attributes:
        identity: of all that it depends on.
        body: what was worked out; None: it failed.
        error: why it failed; None: it did not.
    """

    identity: str
    body: JsonObject | None
    error: str | None = None


class Ledger:
    """The results of one batch in a folder of its state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "evidence"

    def result(self, name: str, identity: str) -> Result | None:
        """The result of that name and identity; None: there is none, or its file is not whole."""
        try:
            held = jsontext.parse(files.read_bytes(self._path(name)))
            found = Result(**held["result"])
            whole = held["sha256"] == _digest(found)
        except (BatchError, ValueError, TypeError, KeyError):
            return None
        return found if whole and found.identity == identity else None

    def record(self, name: str, result: Result) -> None:
        """Keep a result in place of the one before.

        :raises OutputError: it cannot be written.
        """
        held = {"result": vars(result), "sha256": _digest(result)}
        writing.write_whole(self._path(name), jsontext.canonical(held))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def digest(value: object) -> str:
    """The sha256 of a JSON value, however it is written down."""
    return hashlib.sha256(jsontext.canonical(value)).hexdigest()


def _digest(result: Result) -> str:
    return digest(vars(result))
