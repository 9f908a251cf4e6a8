"""What the tests of this folder share: a batch in a bucket behind a proxy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pipeline.storage.objects import client
from tests.support.builders import batch_of, lasting
from tests.support.forks import forked
from tests.support.proxies import Proxy, proxied
from tests.support.stores import Bucket, environment_of


class Stored:
    """A batch of small tables in a bucket.

    Attributes:
        folder: a local copy of its files.
        bucket: where they are.
        proxy: what stands before the store.
        environ: what a user of the store sets.
    """

    def __init__(self, folder: Path, bucket: Bucket, proxy: Proxy, environ: Mapping[str, str]) -> None:
        self.folder, self.bucket, self.proxy = folder, bucket, proxy
        self.environ = dict(environ)

    @property
    def manifest(self) -> str:
        """The URI of the manifest."""
        return f"{self.bucket.uri}/m.json"

    @property
    def report(self) -> str:
        """The URI of the report."""
        return f"{self.bucket.uri}/m.report.json"

    def make(self, names: str) -> None:
        """Put a batch of the tables of these names there."""
        batch_of(self.folder, names)
        self.bucket.fill(self.folder)

    def __call__(self, command: str, *flags: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the manifest, or on the report; the proxy forgets what it has seen."""
        self.proxy.seen.clear()
        given = self.report if command in ("verify", "cite") else self.manifest
        return forked(self.folder, command, given, *flags, **(self.environ | environ))

    def outputs(self) -> dict[str, str | None]:
        """The ETags of joined tables and audits, by name."""
        return {name: etag for name, etag in self.bucket.etags().items() if name.startswith("out/")}

    def as_locally(self, *names: str) -> int:
        """How many files whose names begin so a local run gives; those in the bucket must be the same to the byte."""
        assert forked(self.folder, "run", "m.json").returncode == 0
        local = {name: content for name, content in lasting(self.folder).items() if name.startswith(names)}
        assert {name: self.bucket.get(name) for name in local} == local
        return len(local)

    def read_contents(self) -> list[str]:
        """The objects whose content was read since the last command began, but those of the batch's own."""
        own = (".state/", "/m.json", "/m.lock", "run-log")
        return [path for path in self.proxy.contents if not any(each in path for each in own)]


@pytest.fixture
def store_environ() -> Callable[[str], dict[str, str]]:
    """What a user sets to read from the store at an endpoint."""
    return environment_of


@pytest.fixture
def proxy(
    store_endpoint: str, store_environ: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """The store as this process and its commands reach it: behind a proxy."""
    with proxied(store_endpoint) as found:
        for name, value in store_environ(found.endpoint).items():
            monkeypatch.setenv(name, value)
        client._forget()  # what asks the store has its environment from when it began
        yield found
        client._forget()


@pytest.fixture
def stored(
    bucket: Bucket, proxy: Proxy, store_environ: Callable[[str], dict[str, str]], tmp_path: Path
) -> Stored:
    """A batch of the tables a, b and c in a bucket."""
    folder = tmp_path / "local"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = Stored(folder, bucket, proxy, store_environ(proxy.endpoint))
    made.make("abc")
    return made
