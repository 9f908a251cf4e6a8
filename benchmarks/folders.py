"""Where the data of a benchmark are: never in the repository."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT


def add_folder(parser: argparse.ArgumentParser) -> None:
    """The argument `--folder`."""
    parser.add_argument("--folder", type=Path, help="kept, and used again; default: a temporary one")


@contextlib.contextmanager
def data_folder(folder: Path | None) -> Iterator[Path]:
    """The folder for the data: the one that was asked for, or one that goes when the block ends.

    :raises SystemExit: it would be in the repository.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="second-opinion-") as name:
            yield Path(name)
        return
    folder = folder.resolve()
    if folder.is_relative_to(ROOT):
        raise SystemExit(f"--folder {folder}: expected a folder outside {ROOT}")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
