"""Luigi with tasks that do nothing but leave a marker file: its own share of a run.

::

    python -m benchmarks.luigi_alone TASKS      the markers land in the working folder
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import luigi


class Marker(luigi.Task):
    """A task that leaves an empty file."""

    number = luigi.IntParameter()

    def output(self) -> luigi.LocalTarget:
        """The file."""
        return luigi.LocalTarget(f"{self.number}.marker")

    def run(self) -> None:
        """Leave it."""
        Path(f"{self.number}.marker").touch()


class AllMarkers(luigi.Task):
    """A task that requires them all, as a batch's report does its tables."""

    tasks = luigi.IntParameter()

    def requires(self) -> list[Marker]:
        """Every marker."""
        return [Marker(number=number) for number in range(self.tasks)]

    def output(self) -> luigi.LocalTarget:
        """The marker of them all."""
        return luigi.LocalTarget("all.marker")

    def run(self) -> None:
        """Leave it."""
        Path("all.marker").touch()


if __name__ == "__main__":
    logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)
    root = AllMarkers(tasks=int(sys.argv[1]))
    if not luigi.build([root], workers=1, local_scheduler=True, log_level="CRITICAL"):
        raise SystemExit("Luigi did not make all markers")
