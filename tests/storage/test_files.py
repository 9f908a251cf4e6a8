"""Files: read with words for what is wrong, written whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError, InputMissingError, OutputError
from pipeline.records import snapshots
from pipeline.storage import files
from tests.support.builders import tree, write_text

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_several_files_are_replaced_together(tmp_path: Path) -> None:
    """All files of a block take their names when it ends well; missing folders are made."""
    old, new = write_text(tmp_path / "a", "old"), tmp_path / "sub" / "deep" / "b"
    with files.replacing(old, new) as temporaries:
        for temporary, content in zip(temporaries, ("A", "B"), strict=True):
            temporary.write_text(content)
        assert old.read_text() == "old"
        assert not new.exists()
    assert tree(tmp_path) == {"a": b"A", "sub/deep/b": b"B"}


def test_a_failing_block_leaves_nothing(tmp_path: Path) -> None:
    """When the block fails, what stood there still stands and no other file is left."""
    old = write_text(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError), files.replacing(old, tmp_path / "b") as temporaries:  # noqa: PT012  # the failing block is what is tested
        for temporary in temporaries:
            temporary.write_text("half")
        raise ZeroDivisionError
    assert tree(tmp_path) == {"a": b"old"}


def test_an_unwritten_file_leaves_nothing(tmp_path: Path) -> None:
    """When one file of a block was not written, none takes its name, and the message names them."""
    old = write_text(tmp_path / "a", "old")
    with (
        pytest.raises(OutputError, match=r"a and .*b: cannot be written"),
        files.replacing(old, tmp_path / "b") as temporaries,
    ):
        temporaries[0].write_text("new")
    assert tree(tmp_path) == {"a": b"old"}


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """An output that is a symbolic link is replaced by a file; what it pointed to stays as it was."""
    elsewhere = write_text(tmp_path / "elsewhere", "precious")
    link = tmp_path / "out"
    link.symlink_to(elsewhere)
    files.write_whole(link, b"new")
    assert not link.is_symlink()
    assert tree(tmp_path) == {"elsewhere": b"precious", "out": b"new"}


def test_a_link_to_a_folder_is_replaced(tmp_path: Path) -> None:
    """A link to a folder is a link like any other: the folder is not written into."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "folder")
    files.write_whole(tmp_path / "out", b"new")
    assert tree(tmp_path) == {"out": b"new"}


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    """An output that is a folder is an error that says so."""
    write_text(tmp_path / "out" / "inner", "kept")
    with pytest.raises(OutputError, match=r"out: cannot be written: found a folder"):
        files.write_whole(tmp_path / "out", b"new")
    assert tree(tmp_path) == {"out/inner": b"kept"}


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    """A file where an output's folder should be is an error that names the output."""
    write_text(tmp_path / "sub", "a file")
    with pytest.raises(OutputError, match=r"sub/out: cannot be written: (File exists|Not a directory)"):
        files.write_whole(tmp_path / "sub" / "out", b"new")


def test_descriptions(tmp_path: Path) -> None:
    """A description has path, exists and kind, and for a file only its sha256; paths are relative, with `/`."""
    write_text(tmp_path / "base" / "sub" / "f", "abc")
    base = tmp_path / "base"
    assert files.describe(base / "sub" / "f", base) == {
        "path": "sub/f",
        "exists": True,
        "kind": "file",
        "sha256": SHA256_OF_ABC,
    }
    assert files.describe(base / "sub", base) == {"path": "sub", "exists": True, "kind": "directory"}
    assert files.describe(base / "gone", base) == {"path": "gone", "exists": False, "kind": "missing"}
    assert files.describe(tmp_path / "beside", base)["path"] == "../beside"


def test_digest_of_a_large_file(tmp_path: Path) -> None:
    """The digest is over all bytes, of a file of any size."""
    content = os.urandom(3 * files.DIGEST_BUFFER + 7)
    (tmp_path / "f").write_bytes(content)
    assert files.digest(tmp_path / "f") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("read", [snapshots.snapshot, files.read_bytes, files.open_text_bytes])
def test_missing_files(tmp_path: Path, read: Callable[[Path], object]) -> None:
    """A file that is not there is one that is not there yet, also where its folder is none."""
    write_text(tmp_path / "file", "")
    for path in (tmp_path / "gone", tmp_path / "gone" / "f", tmp_path / "file" / "f"):
        with pytest.raises(InputMissingError, match=rf"{path}: the file is not there yet"):
            read(path)


@pytest.mark.parametrize("read", [snapshots.snapshot, files.read_bytes, files.open_text_bytes])
def test_what_is_no_file(tmp_path: Path, read: Callable[[Path], object]) -> None:
    """A folder or a named pipe is refused in words, at once."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="found a folder, expected a file"):
        read(tmp_path)
    with pytest.raises(InputError, match="pipe: found no regular file, expected a file"):
        read(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"cannot be read: .*null"):
        read(tmp_path / "a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files(tmp_path: Path) -> None:
    """A file without the right to read it is an error that names it and the reason."""
    path = write_text(tmp_path / "f", "abc")
    path.chmod(0)
    with pytest.raises(InputError, match="f: cannot be read: Permission denied"):
        files.read_bytes(path)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    """A snapshot tells that its file was changed or replaced since, even by one of equal size and time."""
    path = write_text(tmp_path / "f", "abc")
    taken = snapshots.snapshot(path)
    snapshots.check_unchanged(path, taken.signature)
    other = write_text(tmp_path / "g", "abd")
    os.utime(other, ns=(taken.signature.mtime_ns, taken.signature.mtime_ns))
    other.replace(path)
    with pytest.raises(InputError, match="f: the file changed while it was being read; run again"):
        snapshots.check_unchanged(path, taken.signature)


@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz", "f.csv.zst"])
def test_text_files(tmp_path: Path, name: str) -> None:
    """What was written as text reads back the same, packed or not, without a byte order mark."""
    with files.create_text_bytes(tmp_path / name, name) as stream:
        stream.write(files.BYTE_ORDER_MARK + b"abc\n" * 100_000)
    with files.open_text_bytes(tmp_path / name) as stream:
        assert stream.read() == b"abc\n" * 100_000
    assert (tmp_path / name).stat().st_size < 10_000 or name == "f.csv"


def test_a_packed_text_holds_no_time(tmp_path: Path) -> None:
    """A gzip file of the project holds neither a time nor a name, so that equal content is equal bytes."""
    with files.create_text_bytes(tmp_path / "f.gz", "f.csv.gz") as stream:
        stream.write(b"abc")
    content = (tmp_path / "f.gz").read_bytes()
    assert content[3:8] == bytes(5)
    assert gzip.decompress(content) == b"abc"


@pytest.mark.parametrize("name", ["f.csv.gz", "f.csv.zst"])
def test_damaged_packed_files(tmp_path: Path, name: str) -> None:
    """A file that is not packed as its name says is an error that names it."""
    write_text(tmp_path / name, "clip_id,score\n")
    with pytest.raises(InputError, match=rf"{name}: cannot be read"):
        files.open_text_bytes(tmp_path / name)


@pytest.mark.parametrize("name", ["x" * 240, "ü" * 120])
def test_a_long_name(tmp_path: Path, name: str) -> None:
    """A file may have as long a name as the file system takes; what a dead run left of it is cleared."""
    path = tmp_path / name
    files.write_whole(path, b"new")
    with files.replacing(path) as (temporary,):
        temporary.write_bytes(b"newer")
        left = temporary.with_name(temporary.name.replace(f"-{os.getpid()}-", "-999999999-"))
        left.write_bytes(b"half")
    files.sweep([path])
    assert tree(tmp_path) == {name: b"newer"}


def test_a_read_error_in_the_middle(tmp_path: Path) -> None:
    """A file that can be opened and not read is an error that names it."""
    link = tmp_path / "f"
    link.symlink_to("/proc/self/mem")
    for read in (files.read_bytes, files.digest, snapshots.snapshot):
        with pytest.raises(InputError, match=r"f: cannot be read: Input/output error"):
            read(link)


def test_a_path_through_a_link(tmp_path: Path) -> None:
    """What is above a linked folder is what the file system says, not what the name looks like."""
    (tmp_path / "other/deep").mkdir(parents=True)
    (tmp_path / "base").mkdir()
    (tmp_path / "base/link").symlink_to(tmp_path / "other/deep")
    assert files.relative(tmp_path / "base/link/../f", tmp_path / "base") == "../other/f"
    assert files.relative(tmp_path / "base/../f", tmp_path / "base") == "../f"
    assert files.relative(tmp_path / "base/sub/../f", tmp_path / "base") == "f"


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_file_that_unpacks_to_far_more_than_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """No table packs into a thousandth of its size: past a size that does no harm, such a file is refused."""
    path = tmp_path / f"f.csv.{suffix}"
    with files.create_text_bytes(path, path.name) as stream:
        stream.write(b"\n" * (3 << 20))
    with files.open_text_bytes(path) as stream:
        assert len(stream.read()) == 3 << 20
    monkeypatch.setattr(files, "_MUCH_UNPACKED", 1 << 20)
    monkeypatch.setattr(files, "_MOST_UNPACKED", 100)
    with (
        files.open_text_bytes(path) as stream,
        pytest.raises(InputError, match=rf"f\.csv\.{suffix}: unpacks to more than 100 times its size"),
    ):
        stream.read()


@pytest.mark.parametrize(("name", "is_one"), [("a/b.csv", True), (".", False), ("..", False), ("a\0", False)])
def test_names_that_a_file_can_have(name: str, is_one: bool) -> None:
    """What no file system takes, however long, is no name."""
    assert files.is_name(name) is is_one
    assert not files.is_name("a/" * 3000 + name)
