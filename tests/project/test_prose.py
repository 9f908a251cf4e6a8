"""Private words are found wherever prose is, and none is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builders import write_text
from tools.prose import CHECKED, ROOT, WORDS, Word, findings

WORD = Word(r"unmakes?", "invalidates", later=("tests",))


def test_no_private_word_is_left() -> None:
    """Code, comments, messages and docs use the plain words of `tools/prose.py`."""
    assert list(findings()) == []


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md", "pipeline/join/keys/rules.py", ".ci/run"])
def test_a_private_word_is_found(name: str, tmp_path: Path) -> None:
    """A finding gives file, line, the word as it is written, and the plain one."""
    write_text(tmp_path / name, "first line\n# An edit Unmakes its table.\n")
    assert list(findings(tmp_path, [WORD])) == [f"{name}:2: found 'Unmakes'; say: invalidates"]


@pytest.mark.parametrize("name", ["tests/join/test_keys.py", "notes.md", "docs/picture.png"])
def test_what_is_not_checked(name: str, tmp_path: Path) -> None:
    """A folder where the word is still to be mended, files of other folders and other kinds are left alone."""
    write_text(tmp_path / name, "An edit unmakes its table.\n")
    assert list(findings(tmp_path, [WORD])) == []


def test_only_whole_words_are_found(tmp_path: Path) -> None:
    """A word that merely holds a private one is none."""
    write_text(tmp_path / "README.md", "It unmakesome.\n")
    assert list(findings(tmp_path, [WORD])) == []


@pytest.mark.parametrize(
    ("text", "plain"),
    [("MOST_BYTES = 1", False), ("least_squares(x)", True), ("`…` stands for a name", True)],
)
def test_plain_uses_of_the_words_are_no_findings(text: str, plain: bool, tmp_path: Path) -> None:
    """Names of other packages, and a sign that stands for something, are plain English."""
    write_text(tmp_path / "docs" / "page.md", text)
    assert (list(findings(tmp_path)) == []) is plain


def test_what_the_list_names_exists() -> None:
    """Each file and folder that is checked, or where a word is still to be mended, is there."""
    assert [name for name in CHECKED if not (ROOT / name).exists()] == []
    assert {name for word in WORDS for name in word.later} <= set(CHECKED)
