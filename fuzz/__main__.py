"""python -m fuzz TARGET -max_total_time=600 CORPUS: libFuzzer's arguments behind the target's name."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pipeline", "json", "csv", "jsonschema"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Feed the target until it fails, or time is up."""
    program, name, *arguments = sys.argv
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        atheris.Setup([program, *arguments], lambda content: target(content, Path(folder)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
