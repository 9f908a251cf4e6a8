"""`make test-all` tests on every declared Python that is installed, and says which are not."""

from __future__ import annotations

import sys

from tools.every_python import declared, installed, outcomes


def test_the_declared_pythons_are_read() -> None:
    """The classifiers of setup.cfg name the Pythons, the lowest first."""
    versions = declared()
    assert versions[0] == "3.11"
    assert versions == sorted(versions, key=lambda version: int(version.partition(".")[2]))


def test_a_python_is_found_or_not() -> None:
    """The Python that runs this is found by its version; one that nobody has is not."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert installed("3.999") is None
    assert installed(version) is not None


def test_each_python_is_tested_in_an_environment_of_its_own() -> None:
    """Pythons that are found are tested one by one, then the lowest versions on the lowest Python."""
    made: list[tuple[str, ...]] = []
    found = {"3.11": "/bin/a", "3.12": None, "3.13": "/bin/c"}

    def make(*words: str) -> int:
        made.append(words)
        return 2 if "VENV=.venv-3.13" in words else 0

    assert outcomes(list(found), found.__getitem__, make) == {
        "Python 3.11": "passed",
        "Python 3.12": "not found",
        "Python 3.13": "failed",
        "lowest versions": "passed",
    }
    assert made == [
        ("suite", "VENV=.venv-3.11", "COVERAGE=yes", "PYTHON=/bin/a"),
        ("suite", "VENV=.venv-3.13", "PYTHON=/bin/c"),
        ("test-lowest", "PYTHON=/bin/a"),
    ]
