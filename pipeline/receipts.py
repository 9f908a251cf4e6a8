"""What was made, and how it failed: the project's own records of a batch, one small file per table.

They stand in a hidden folder beside the report (`Batch.state_dir`) and may be deleted: at worst what they
told is made again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pipeline import files, jsontext
from pipeline.errors import BatchError
from pipeline.materializer import Materialized
from pipeline.options import JsonObject

FailureStatus: TypeAlias = Literal["failed", "waiting"]


@dataclass(frozen=True)
class Failure:
    """Why a table was not made in the last run: it failed, or waits for an input."""

    status: FailureStatus
    error: str


class Receipts:
    """The records of one batch in its state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._made = state_dir / "made"
        self._failed = state_dir / "failed"

    def made(self, table: str) -> Materialized | None:
        """What was made for the table when it was last made; None: nothing that is known of."""
        record = _read(self._made / f"{table}.json")
        try:
            return None if record is None else Materialized(**record)
        except TypeError:  # of another version of the project
            return None

    def record_made(self, table: str, made: Materialized) -> None:
        """Remember what was made; a failure of the table is forgotten."""
        files.write_whole(self._made / f"{table}.json", jsontext.canonical(asdict(made)))
        files.remove(self._failed / f"{table}.json")

    def failure(self, table: str) -> Failure | None:
        """How the table failed in the last run; None: it did not."""
        record = _read(self._failed / f"{table}.json")
        return None if record is None else Failure(**record)

    def record_failure(self, table: str, failure: Failure) -> None:
        """Remember how the table failed."""
        files.write_whole(self._failed / f"{table}.json", jsontext.canonical(asdict(failure)))

    def has_failures(self) -> bool:
        """Whether a table has failed since the failures were last cleared; a waiting one has not."""
        found = (self.failure(path.stem) for path in self._failed.glob("*.json"))
        return any(failure is not None and failure.status == "failed" for failure in found)

    def clear_failures(self) -> None:
        """Forget all failures, as a new run begins.

        :raises OutputError: the state folder cannot be written.
        """
        with files.writing(self._failed):
            self._failed.mkdir(parents=True, exist_ok=True)
        for path in self._failed.glob("*.json"):
            files.remove(path)


def _read(path: Path) -> JsonObject | None:
    try:
        record = json.loads(files.read_bytes(path))
    except (BatchError, ValueError):
        return None
    return record if isinstance(record, dict) else None
