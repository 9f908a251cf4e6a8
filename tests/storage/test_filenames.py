"""Names: which ones a file can have, and what a path leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.storage import filenames


def test_a_path_through_a_link(tmp_path: Path) -> None:
    """What is above a linked folder is what the file system says, not what the name looks like."""
    (tmp_path / "other/deep").mkdir(parents=True)
    (tmp_path / "base").mkdir()
    (tmp_path / "base/link").symlink_to(tmp_path / "other/deep")
    assert filenames.relative(tmp_path / "base/link/../f", tmp_path / "base") == "../other/f"
    assert filenames.relative(tmp_path / "base/../f", tmp_path / "base") == "../f"
    assert filenames.relative(tmp_path / "base/sub/../f", tmp_path / "base") == "f"


@pytest.mark.parametrize(("name", "is_one"), [("a/b.csv", True), (".", False), ("..", False), ("a\0", False)])
def test_names_that_a_file_can_have(name: str, is_one: bool) -> None:
    """What no file system takes, however long, is no name."""
    assert filenames.is_name(name) is is_one
    assert not filenames.is_name("a/" * 3000 + name)
