"""Files appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.storage import writing
from tests.support.builders import tree, write_text


def test_several_files_are_replaced_together(tmp_path: Path) -> None:
    """All files of a block take their names when it ends well; missing folders are made."""
    old, new = write_text(tmp_path / "a", "old"), tmp_path / "sub" / "deep" / "b"
    with writing.replacing(old, new) as created:
        for each, content in zip(created, (b"A", b"B"), strict=True):
            each.write(content)
        assert old.read_text() == "old"
        assert not new.exists()
    assert tree(tmp_path) == {"a": b"A", "sub/deep/b": b"B"}


def test_a_failing_block_leaves_nothing(tmp_path: Path) -> None:
    """When the block fails, what stood there still stands and no other file is left."""
    old = write_text(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError), writing.replacing(old, tmp_path / "b") as created:  # noqa: PT012  # the failing block is what is tested
        for each in created:
            each.write(b"half")
        raise ZeroDivisionError
    assert tree(tmp_path) == {"a": b"old"}


def test_a_new_file_knows_its_bytes(tmp_path: Path) -> None:
    """While it is written a file knows its size and its digest, also of what it began with."""
    source = write_text(tmp_path / "a", "onetwo")
    with writing.replacing(tmp_path / "b") as (created,):
        created.copy(source, 3, hashlib.sha256(b"one"))
        created.write(b"three")
        assert (created.size, created.sha256) == (8, hashlib.sha256(b"onethree").hexdigest())
    assert tree(tmp_path) == {"a": b"onetwo", "b": b"onethree"}


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """An output that is a symbolic link is replaced by a file; what it pointed to stays as it was."""
    elsewhere = write_text(tmp_path / "elsewhere", "precious")
    link = tmp_path / "out"
    link.symlink_to(elsewhere)
    writing.write_whole(link, b"new")
    assert not link.is_symlink()
    assert tree(tmp_path) == {"elsewhere": b"precious", "out": b"new"}


def test_a_link_to_a_folder_is_replaced(tmp_path: Path) -> None:
    """A link to a folder is a link like any other: the folder is not written into."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "folder")
    writing.write_whole(tmp_path / "out", b"new")
    assert tree(tmp_path) == {"out": b"new"}


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    """An output that is a folder is an error that says so."""
    write_text(tmp_path / "out" / "inner", "kept")
    with pytest.raises(OutputError, match=r"out: cannot be written: found a folder"):
        writing.write_whole(tmp_path / "out", b"new")
    assert tree(tmp_path) == {"out/inner": b"kept"}


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    """A file where an output's folder should be is an error that names the output."""
    write_text(tmp_path / "sub", "a file")
    with pytest.raises(OutputError, match=r"sub/out: cannot be written: (File exists|Not a directory)"):
        writing.write_whole(tmp_path / "sub" / "out", b"new")


@pytest.mark.parametrize("name", ["x" * 240, "ü" * 120])
def test_a_long_name(tmp_path: Path, name: str) -> None:
    """A file may have as long a name as the file system takes; what a dead run left of it is cleared."""
    path = tmp_path / name
    writing.write_whole(path, b"new")
    with writing.replacing(path) as (created,):
        created.write(b"newer")
        (temporary,) = tmp_path.glob(".*.tmp")
        left = temporary.with_name(temporary.name.replace(f"-{os.getpid()}-", "-999999999-"))
        left.write_bytes(b"half")
    writing.sweep([path])
    assert tree(tmp_path) == {name: b"newer"}


def test_files_are_written_together(tmp_path: Path) -> None:
    """Several contents are written all or none."""
    old = write_text(tmp_path / "a", "old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=r"a and .*folder: cannot be written: found a folder"):
        writing.write_together({old: b"new", tmp_path / "folder": b"new"})
    assert tree(tmp_path) == {"a": b"old"}
    writing.write_together({old: b"new", tmp_path / "b": b"newer"})
    assert tree(tmp_path) == {"a": b"new", "b": b"newer"}


def test_lines_are_added(tmp_path: Path) -> None:
    """A line is added to a file of the project's own; a link there is not followed."""
    for line in (b"one", b"two"):
        writing.append_line(tmp_path / "log", line)
    assert tree(tmp_path) == {"log": b"one\ntwo\n"}
    (tmp_path / "link").symlink_to(tmp_path / "log")
    with pytest.raises(OutputError, match="link: cannot be written: found a symbolic link"):
        writing.append_line(tmp_path / "link", b"three")
