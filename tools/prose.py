"""Find private words in code and prose, and name the plain ones.

::

    python tools/prose.py

prints a line per finding, `file:line: found; say instead`, and ends with 1 if there is one. A word is added to `WORDS`
once it has been mended; `later` names the folders where it still has to be.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKED = (
    *("README.md", "CONTRIBUTING.md", "Makefile", "setup.cfg", "pyproject.toml", "luigi.cfg", ".ci"),
    *("changelog.d", "docs", "pipeline", "tools", "benchmarks", "fuzz", "tests"),
)
"""Files and folders; CHANGELOG.md has old names in it, and keeps them."""

SUFFIXES = {"", ".cfg", ".css", ".j2", ".js", ".json", ".md", ".py", ".toml"}
EXCLUDED = ("tools/prose.py", "tests/project/test_prose.py", "tests/data")
"""What shows the words, and data."""


@dataclass(frozen=True)
class Word:
    """A word that this project once used in a sense of its own.

    Attributes:
        pattern: regular expression of whole words, in lower case or upper.
        plain: what to write instead.
        later: entries of `CHECKED` where it may still occur.
    """

    pattern: str
    plain: str
    later: tuple[str, ...] = ()


WORDS = (
    Word(r"unmade|unmakes?|unmaking", "invalidates, invalidated"),
    Word(r"(?-i:MOST|LEAST|MUCH|FEWEST)_[a-z]\w*", "MAX_..., MIN_..."),
    Word(r"of which that|of whose that", "a sentence for each condition"),
    Word(r"standing", "state, status", later=("tests",)),
    Word(r"stands?(?! for\b)", "is, is written, is in", later=("tests",)),
    Word(r"told|telling", "given, reported, set, known", later=("tests",)),
    Word(r"goes with the label|go with the label", "correlates with the label", later=("tests",)),
    Word(r"speaks? of", "describes, names", later=("tests",)),
    Word(r"no place in", "cannot be stored in", later=("tests",)),
    Word(r"heeds?|heeding", "obeys, handles", later=("tests",)),
)


def findings(root: Path = ROOT, words: Sequence[Word] = WORDS) -> Iterator[str]:
    """A line for each private word below `root`: where it is, what it is, and what to say instead."""
    for checked in CHECKED:
        held = [word for word in words if checked not in word.later]
        for path in _files(root / checked):
            name = path.relative_to(root).as_posix()
            if not name.startswith(EXCLUDED):
                yield from _in_text(name, path.read_text("utf-8"), held)


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in files if file.is_file() and file.suffix in SUFFIXES]


def _in_text(name: str, text: str, words: Sequence[Word]) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        for word in words:
            for found in re.finditer(rf"\b(?:{word.pattern})\b", line, re.IGNORECASE):
                yield f"{name}:{number}: found {found[0]!r}; say: {word.plain}"


if __name__ == "__main__":
    found = list(findings())
    print("\n".join(found) or "no private words")  # noqa: T201  # a command line's answer
    sys.exit(bool(found))
