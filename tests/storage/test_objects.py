"""Objects of a store: the same answers as for local files, reads of one version only, and words for every fault."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError, InputMissingError
from pipeline.manifest.patterns import Pattern
from pipeline.records import snapshots
from pipeline.storage import filenames, files, locations, textfiles
from pipeline.storage.objects import client
from tests.support.processes import until
from tests.support.proxies import Fault, Proxy, proxied
from tests.support.stores import Bucket, environment_of, reason_to_skip

pytestmark = pytest.mark.objects

BYTES = bytes(range(256)) * 1000


class Place:
    """A folder that a test fills: local, or in a bucket.

    Attributes:
        root: what the names of its files begin with in a manifest.
        put: writes a file by its name.
    """

    def __init__(self, root: str, put: Callable[[str, bytes], object]) -> None:
        self.root, self.put = root, put

    def at(self, name: str) -> locations.Location:
        """The place of a file."""
        return locations.located(Path(), f"{self.root}/{name}")


@pytest.fixture
def proxy(store_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The store as this process reads from it: behind a proxy."""
    with proxied(store_endpoint) as found:
        for name, value in environment_of(found.endpoint).items():
            monkeypatch.setenv(name, value)
        client._forget()  # what asks the store has its environment from when it began
        yield found
        client._forget()


@pytest.fixture(params=["local", "object"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each implementation in turn."""
    if request.param == "local":
        return Place(str(tmp_path), lambda name, content: _written(tmp_path / name, content))
    request.getfixturevalue("proxy")
    bucket: Bucket = request.getfixturevalue("bucket")
    bucket.put("made", b"")
    return Place(bucket.uri, bucket.put)


def _written(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_names_have_the_parts_of_a_path(place: Place) -> None:
    """A file of each kind has name, stem, suffixes and folder, and equals itself."""
    path = place.at("a/b.jsonl.gz")
    assert (path.name, path.stem, path.suffix, path.suffixes) == (
        "b.jsonl.gz",
        "b.jsonl",
        ".gz",
        [".jsonl", ".gz"],
    )
    assert str(path.parent) == f"{place.root}/a"
    assert path.parent / "b.jsonl.gz" == path
    assert len({path, place.at("a/b.jsonl.gz")}) == 1


@pytest.mark.parametrize("name", ["f.txt", "é a%20b+c.txt", "corpus=chug/part-0.txt", "a@b.txt"])
def test_content_and_description(place: Place, name: str) -> None:
    """A file is there, and has its bytes, its digest and its size, whatever signs its name has."""
    place.put(name, BYTES)
    path = place.at(name)
    assert filenames.exists(path)
    assert filenames.is_file(path)
    assert files.read_bytes(path) == BYTES
    assert files.digest(path) == hashlib.sha256(BYTES).hexdigest()
    assert files.signature(path).size == len(BYTES)
    assert files.describe(path, Path(place.root)) == {
        "path": name if isinstance(path, Path) else str(path),
        "exists": True,
        "kind": "file",
        "sha256": hashlib.sha256(BYTES).hexdigest(),
    }


def test_an_empty_file_is_read(place: Place) -> None:
    """A file without bytes is there and gives none."""
    place.put("empty", b"")
    assert files.read_bytes(place.at("empty")) == b""
    assert files.digest(place.at("empty")) == hashlib.sha256().hexdigest()


def test_what_is_not_there_is_missing(place: Place) -> None:
    """A file that does not exist is waited for, and does not match a pattern."""
    path = place.at("none/x.jsonl")
    assert not filenames.exists(path)
    assert not filenames.is_file(path)
    for asked in (files.signature, files.digest, files.open_bytes, snapshots.snapshot):
        with pytest.raises(InputMissingError, match=r"none/x\.jsonl: the (file|object) is not there yet"):
            asked(path)
    assert files.describe(path, Path())["kind"] == "missing"
    assert Pattern(f"{place.root}/none/*.jsonl").matches(Path()) == []


def test_patterns_match_the_same_files(place: Place) -> None:
    """`*` matches within a folder, `**` through folders; neither matches hidden names; a folder is no file."""
    for name in (
        "a/x.jsonl",
        "a/y.jsonl",
        "a/.z.jsonl",
        "a/b/x.jsonl",
        "a/b/c.jsonl/x.jsonl",
        "a/.h/x.jsonl",
        "k.txt",
    ):
        place.put(name, b"x")

    def matched(pattern: str) -> list[str]:
        found = Pattern(f"{place.root}/{pattern}").matches(Path())
        return [name.removeprefix(f"{place.root}/") for name in found]

    assert matched("a/*.jsonl") == ["a/x.jsonl", "a/y.jsonl"]
    assert matched("*/x.jsonl") == ["a/x.jsonl"]
    assert matched("a/b/*") == ["a/b/x.jsonl"]
    assert matched("**/x.jsonl") == ["a/b/c.jsonl/x.jsonl", "a/b/x.jsonl", "a/x.jsonl"]
    assert matched("*.txt") == ["k.txt"]


def test_a_changed_file_has_another_signature(place: Place) -> None:
    """A record of a file is as good as the file until it changes, though it keeps its size."""
    place.put("f", b"one")
    taken = snapshots.snapshot(place.at("f"))
    kept = snapshots.Snapshot.from_record(taken.as_record())
    assert kept == taken
    assert snapshots.look_again(place.at("f"), kept).sha256 == taken.sha256
    place.put("f", b"two")
    assert snapshots.look_again(place.at("f"), kept).sha256 == hashlib.sha256(b"two").hexdigest()
    with pytest.raises(InputError, match="the file changed while it was being read"):
        snapshots.check_unchanged(place.at("f"), taken.signature)


def test_blocks_of_two_threads_end_in_any_order(place: Place) -> None:
    """What a block has seen counts until its end, whichever of two blocks ends first, and no longer."""
    place.put("f", b"one")
    first, second = files.seen_once(), files.seen_once()
    first.__enter__()
    second.__enter__()
    seen = files.signature(place.at("f"))
    first.__exit__(None, None, None)
    assert files.signature(place.at("f")) == seen
    second.__exit__(None, None, None)
    place.put("f", b"two")
    assert files.signature(place.at("f")) != seen


def test_any_seeks_and_reads_give_the_bytes(place: Place) -> None:
    """Reads after seeks, forth and back and beyond the end, are those of the bytes in memory."""
    content = random.Random(1).randbytes(700_000)  # noqa: S311  # any bytes
    place.put("f", content)
    chance = random.Random(2)  # noqa: S311  # likewise
    with files.open_bytes(place.at("f")) as stream, io.BytesIO(content) as expected:
        for _ in range(60):
            start, size = chance.randrange(800_000), chance.choice([1, 100, 70_000, 300_000])
            assert stream.seek(start) == expected.seek(start)
            assert stream.read(size) == expected.read(size)
        assert stream.seek(-5, os.SEEK_END) == len(content) - 5
        assert stream.read() == content[-5:]
        assert stream.read(1) == b""


def test_text_is_unpacked_by_its_name(place: Place) -> None:
    """A compressed text is read in parts of whole lines, as from a local file."""
    lines = b"".join(b"%d\n" % number for number in range(50_000))
    packed = pa.compress(lines, codec="gzip", asbytes=True)
    place.put("f.txt.gz", packed)
    assert b"".join(textfiles.read_lines(place.at("f.txt.gz"), 1 << 14)) == lines


def test_of_parquet_little_more_than_the_wanted_column_is_read(bucket: Bucket, proxy: Proxy) -> None:
    """A column of a wide Parquet object takes its own bytes and some read ahead, not those of the file."""
    table = pa.table({f"f{at}": range(at, at + 40_000) for at in range(20)})
    into = io.BytesIO()
    pq.write_table(table, into, row_group_size=20_000, use_dictionary=False, compression="none")
    uri = bucket.put("t.parquet", into.getvalue())
    source = files.arrow_source(locations.located(Path(), uri), 1 << 16)
    assert pq.ParquetFile(**source).read(["f7"]).column("f7").to_pylist() == table.column("f7").to_pylist()
    assert len(proxy.contents) <= 8


def test_an_object_that_is_replaced_while_it_is_read_is_an_error(bucket: Bucket, proxy: Proxy) -> None:
    """No reader gets parts of two versions: what follows a replacement is refused, with the URI."""
    assert proxy.endpoint
    uri = bucket.put("f", b"1" * 3_000_000)
    with files.open_bytes(locations.located(Path(), uri)) as stream:
        assert stream.read(10) == b"1" * 10
        bucket.put("f", b"2" * 3_000_000)
        replaced = f"{uri}: the object was replaced while it was being read; run again"
        with pytest.raises(InputError, match=replaced):
            stream.read()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (503, r"the store is too busy or fails \(503 SlowDown\), after retries"),
        (403, r"the store refuses it \(403 SlowDown\); expected credentials that may read"),
        (0, "the store cannot be reached, or cut the connection, after retries"),
        (400, r"the store's answer cannot be used \(400 SlowDown\)"),
    ],
)
def test_faults_of_the_store_are_errors_of_ours(
    bucket: Bucket, proxy: Proxy, answer: int, expected: str
) -> None:
    """Whatever the store does in the middle of a read, the message has the URI, the cause, and no credentials."""
    uri = bucket.put("f", b"1" * 3_000_000)
    with files.open_bytes(locations.located(Path(), uri)) as stream:
        stream.read(10)
        proxy.fault = lambda method, _path: Fault(answer) if method == "GET" else None
        with pytest.raises(InputError, match=rf"^{uri}: cannot be read: {expected}") as raised:
            stream.read()
    assert "testsecret" not in str(raised.value)


def test_a_fault_that_passes_is_tried_again(bucket: Bucket, proxy: Proxy) -> None:
    """A store that is too busy once does not end a run."""
    uri = bucket.put("f", b"abc")
    faults = iter([Fault(503)])
    proxy.fault = lambda _method, _path: next(faults, None)
    assert files.read_bytes(locations.located(Path(), uri)) == b"abc"


def test_a_bucket_that_does_not_exist_is_an_error(proxy: Proxy) -> None:
    """An absent bucket is not waited for: it is the name or the endpoint that is wrong."""
    assert proxy.endpoint
    with pytest.raises(InputError, match=r"^s3://absent/f: cannot be read: found no such bucket") as raised:
        files.signature(locations.located(Path(), "s3://absent/f"))
    assert not isinstance(raised.value, InputMissingError)
    with pytest.raises(InputError, match="found no such bucket"):
        Pattern("s3://absent/*.jsonl").matches(Path())


def test_a_fork_reads_too(bucket: Bucket, proxy: Proxy) -> None:
    """A child of a process that has read objects can read them, and so can its parent afterwards."""
    assert proxy.endpoint
    path = locations.located(Path(), bucket.put("f", b"abc"))
    assert files.read_bytes(path) == b"abc"
    child = os.fork()
    if not child:
        signal.alarm(60)
        os._exit(0 if files.read_bytes(path) == b"abc" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert files.read_bytes(path) == b"abc"


def test_the_death_of_what_asks_the_store_is_an_error(bucket: Bucket, proxy: Proxy) -> None:
    """If the process that reads from stores is killed, the read fails with the URI, and the next one works."""
    assert proxy.endpoint
    path = locations.located(Path(), bucket.put("f", b"abc"))
    assert files.read_bytes(path) == b"abc"
    assert client._helper is not None
    os.kill(client._helper.pid, signal.SIGKILL)
    with pytest.raises(
        InputError, match=r"s3://.*: cannot be read: the process that asks object stores has died; run again"
    ):
        until(lambda: files.read_bytes(path) != b"abc", "an error")
    assert files.read_bytes(path) == b"abc"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://key:secret@b/x.csv", "found credentials or a query in 's3://***@b/x.csv'; expected neither"),
        ("s3://b/x.csv?X-Amz-Signature=secret", "found credentials or a query in 's3://b/x.csv?***'"),
        ("ftp://b/x.csv", "found 'ftp://b/x.csv'; expected a path, or a URI with s3://, gs://, az://"),
        ("s3:///x.csv", "expected the name of a bucket after s3://"),
        ("s3://b", "expected the name of an object"),
        ("s3://b/a//x.csv", "expected the name of an object, with no empty part, no . and no .."),
        ("s3://b/../x.csv", "expected the name of an object, with no empty part, no . and no .."),
    ],
)
def test_faults_of_uris(uri: str, expected: str) -> None:
    """A URI that is no object of a store is refused before anything is asked, without repeating a secret."""
    fault = filenames.input_fault(uri)
    assert fault is not None
    assert expected in fault
    assert "secret" not in fault.replace("secret in the environment", "")


@pytest.mark.parametrize("uri", ["s3://b/x.csv", "gs://b/a=b/x@y.csv", "az://b/*.csv"])
def test_sound_uris(uri: str) -> None:
    """URIs of the three clouds are accepted if the extra is installed."""
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
    assert filenames.input_fault(uri) is None


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without obstore a URI is refused in one sentence that says what to install, in a manifest as in a report."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    told = r"to use object stores: pip install 'second-opinion\[objects\]'"
    assert "pip install 'second-opinion[objects]'" in str(filenames.input_fault("s3://b/x.csv"))
    with pytest.raises(InputError, match=f"^s3://b/x.csv: {told}$"):
        files.digest(locations.located(Path(), "s3://b/x.csv"))
