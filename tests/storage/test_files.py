"""Files: read with words for what is wrong, digested and described."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError, InputMissingError
from pipeline.records import snapshots
from pipeline.storage import files, textfiles
from tests.support.builders import write_text

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


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


@pytest.mark.parametrize("read", [snapshots.snapshot, files.read_bytes, textfiles.open_text_bytes])
def test_missing_files(tmp_path: Path, read: Callable[[Path], object]) -> None:
    """A file that is not there is one that is not there yet, also where its folder is none."""
    write_text(tmp_path / "file", "")
    for path in (tmp_path / "gone", tmp_path / "gone" / "f", tmp_path / "file" / "f"):
        with pytest.raises(InputMissingError, match=rf"{path}: the file is not there yet"):
            read(path)


@pytest.mark.parametrize("read", [snapshots.snapshot, files.read_bytes, textfiles.open_text_bytes])
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


def test_a_read_error_in_the_middle(tmp_path: Path) -> None:
    """A file that can be opened and not read is an error that names it."""
    link = tmp_path / "f"
    link.symlink_to("/proc/self/mem")
    for read in (files.read_bytes, files.digest, snapshots.snapshot):
        with pytest.raises(InputError, match=r"f: cannot be read: Input/output error"):
            read(link)
