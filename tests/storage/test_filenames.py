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


def test_links_and_folders_as_texts(tmp_path: Path) -> None:
    """A link has a target, in the end; a folder has one path without links, and an impossible name stays."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "second").symlink_to("link")
    folder = str(tmp_path.resolve() / "folder")
    assert filenames.link_target(f"{tmp_path}/second") == folder
    assert filenames.link_target(f"{tmp_path}/folder") is None
    assert filenames.real_folder(f"{tmp_path}/second") == folder
    assert filenames.real_folder("a\0") == "a\0"
