"""Run the tests on every declared Python that is installed, and with the lowest versions.

::

    python tools/every_python.py [WORDS FOR MAKE ...]

The Pythons are those of the classifiers in setup.cfg. Each has a virtual environment of its own, such as `.venv-3.12`,
which is kept. The first one prints the coverage, and fails below its floor. A Python that is not found is named and is no failure. The lowest versions are those of the lowest Python.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETUP = ROOT / "setup.cfg"


def declared(setup: Path = SETUP) -> list[str]:
    """The versions of Python that the project declares, such as `3.11`, in the file's order."""
    read = configparser.ConfigParser()
    read.read(setup, "utf-8")
    return re.findall(
        r"^Programming Language :: Python :: (\d+\.\d+)$", read["metadata"]["classifiers"], re.MULTILINE
    )


def installed(version: str) -> str | None:
    """The path of an interpreter of that version, or None."""
    return next((path for path in _candidates(version) if _version(path) == version), None)


def _candidates(version: str) -> Iterator[str]:
    if found := shutil.which(f"python{version}"):
        yield found
    # pyenv puts only the chosen version on the path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def _version(path: str) -> str | None:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([path, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603  # a Python
    return asked.stdout.strip() if asked.returncode == 0 else None


def outcomes(
    versions: Sequence[str], find: Callable[[str], str | None], make: Callable[..., int]
) -> dict[str, str]:
    """Run the tests on each version; gives `passed`, `failed` or `not found` by what was tested.

    Args:
        versions: of Python, the lowest first.
        find: gives the path of an interpreter, or None.
        make: runs make with the given words; gives its exit code.
    """
    pythons = {version: find(version) for version in versions}
    runs = [
        (f"Python {version}", path, ["suite", f"VENV=.venv-{version}"]) for version, path in pythons.items()
    ]
    runs[0][-1].append("COVERAGE=yes")  # which twice the time buys once
    runs.append(("lowest versions", pythons[versions[0]], ["test-lowest"]))
    return {what: _outcome(path, words, make) for what, path, words in runs}


def _outcome(path: str | None, words: Sequence[str], make: Callable[..., int]) -> str:
    if path is None:
        return "not found"
    return "failed" if make(*words, f"PYTHON={path}") else "passed"


def main(words: Sequence[str]) -> int:
    """Run all of it; gives 1 if anything failed."""

    def make(*target: str) -> int:
        return subprocess.run(["make", *target, *words], cwd=ROOT, check=False).returncode  # noqa: S603, S607

    verdicts = outcomes(declared(), installed, make)
    print(*(f"{what}: {verdict}" for what, verdict in verdicts.items()), sep="\n")  # noqa: T201  # the answer
    return int("failed" in verdicts.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
