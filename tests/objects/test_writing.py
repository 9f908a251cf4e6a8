"""Writing, local and in a bucket: files appear whole or not at all, and know their bytes while they are written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.records.snapshots import look_again, of_written
from pipeline.storage import filenames, files, writing
from pipeline.storage.locations import Location, given
from tests.support.builders import write_text
from tests.support.proxies import Fault, Proxy
from tests.support.stores import Bucket

pytestmark = pytest.mark.objects

LARGE = bytes(range(256)) * 80_000
"""More than two parts of an upload."""


@pytest.fixture(params=["local", "object"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """A folder, in each implementation."""
    if request.param == "local":
        return tmp_path
    request.getfixturevalue("proxy")
    bucket: Bucket = request.getfixturevalue("bucket")
    bucket.put("made", b"")
    return given(bucket.uri)


@pytest.mark.parametrize("content", [b"", b"abc", LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("name", ["f.bin", "é a%20b+c.txt", "corpus=chug/part-0.txt"])
def test_what_is_written_is_there(folder: Location, name: str, content: bytes) -> None:
    """A file of any size and name reads back as it was written, and is known from then on without a read."""
    path = folder / name
    (written,) = writing.write_together({path: content})
    assert files.read_bytes(path) == content
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    taken = of_written(written)
    assert taken.settled
    assert look_again(path, taken) is taken
    writing.write_whole(path, b"other")
    assert look_again(path, taken).sha256 == hashlib.sha256(b"other").hexdigest()


@pytest.mark.parametrize("content", [b"half", LARGE], ids=["small", "large"])
def test_a_block_that_fails_leaves_nothing(folder: Location, content: bytes) -> None:
    """What was there stays as it was, and nothing else is left."""
    writing.write_whole(folder / "a", b"old")
    with pytest.raises(ZeroDivisionError), writing.replacing(folder / "a", folder / "b") as created:  # noqa: PT012  # the failing block is what is tested
        for each in created:
            each.write(content)
        raise ZeroDivisionError
    assert files.read_bytes(folder / "a") == b"old"
    assert not filenames.exists(folder / "b")


def test_a_file_may_begin_with_another(folder: Location, tmp_path: Path) -> None:
    """The first bytes of a file are copied, whatever kind of place it is in; digest and size count them."""
    for source in (folder / "source", write_text(tmp_path / "local", "")):
        writing.write_whole(source, LARGE)
        digest = hashlib.sha256(LARGE[:20_000_000])
        with writing.replacing(folder / "copy") as (created,):
            created.copy(source, 20_000_000, digest)
            created.write(b"more")
        assert files.read_bytes(folder / "copy") == LARGE[:20_000_000] + b"more"
        assert created.sha256 == hashlib.sha256(LARGE[:20_000_000] + b"more").hexdigest()


def test_what_is_in_the_bucket_is_copied_there(bucket: Bucket, proxy: Proxy) -> None:
    """The beginning of a large object is copied by the store: it is not read, and the parts behind it are appended."""
    writing.write_whole(given(f"{bucket.uri}/source"), LARGE)
    proxy.seen.clear()
    with writing.replacing(given(f"{bucket.uri}/copy")) as (created,):
        created.copy(given(f"{bucket.uri}/source"), 20_000_000, hashlib.sha256(LARGE[:20_000_000]))
        created.write(LARGE)
    assert proxy.contents == []
    assert bucket.get("copy") == LARGE[:20_000_000] + LARGE


def test_a_store_that_cannot_copy(bucket: Bucket, proxy: Proxy) -> None:
    """Where the store refuses to copy, the bytes are read and written instead."""
    writing.write_whole(given(f"{bucket.uri}/source"), LARGE)
    proxy.fault = lambda method, path: (
        Fault(501, "NotImplemented") if (method, path[-8:]) == ("POST", "?uploads") else None
    )
    with writing.replacing(given(f"{bucket.uri}/copy")) as (created,):
        created.copy(given(f"{bucket.uri}/source"), 20_000_000, hashlib.sha256(LARGE[:20_000_000]))
    assert bucket.get("copy") == LARGE[:20_000_000]


def test_a_copy_that_is_not_completed_leaves_nothing(bucket: Bucket, proxy: Proxy) -> None:
    """If the block fails after the copy, the upload is aborted, and there is no object."""
    writing.write_whole(given(f"{bucket.uri}/source"), LARGE)
    with pytest.raises(ZeroDivisionError), writing.replacing(given(f"{bucket.uri}/copy")) as (created,):  # noqa: PT012  # the failing block is what is tested
        created.copy(given(f"{bucket.uri}/source"), 20_000_000, hashlib.sha256(LARGE[:20_000_000]))
        raise ZeroDivisionError
    assert [method for method, path in proxy.seen if "uploadId" in path and method == "DELETE"] == ["DELETE"]
    assert set(bucket.etags()) == {"source"}


def test_a_file_is_removed(folder: Location) -> None:
    """Removing is done once it returns, and doing it again is no error."""
    writing.write_whole(folder / "a", b"x")
    for _ in range(2):
        writing.remove(folder / "a")
        assert not filenames.exists(folder / "a")


def test_no_line_is_lost(folder: Location) -> None:
    """Lines that several processes add at once are all there."""
    children = []
    for number in range(4):
        children.append(os.fork())
        if not children[-1]:
            for line in range(3):
                writing.append_line(folder / "log", f"{number} {line}".encode())
            os._exit(0)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    lines = files.read_bytes(folder / "log").decode().splitlines()
    assert sorted(lines) == [f"{number} {line}" for number in range(4) for line in range(3)]
