"""Object stores beside SeaweedFS: ministack (S3) and azurite (Azure), begun by the tests that need them."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import hmac
import shutil
import sys
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .processes import ROOT, free_port, running, until
from .stores import BUCKET, Bucket, environment_of

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account of every azurite, see its README; no secret."""


class OtherStore(ABC):
    """A store of one kind.

    Attributes:
        install: how its server is installed.
    """

    install: str

    @abstractmethod
    def program(self) -> str | None:
        """Its server; None: it is not installed."""

    @abstractmethod
    def command(self, program: str, port: int) -> tuple[str, ...]:
        """What begins it; it keeps everything in memory."""

    @abstractmethod
    def bucket_request(self, endpoint: str) -> urllib.request.Request:
        """The request that makes the bucket."""

    @abstractmethod
    def environ(self, endpoint: str) -> dict[str, str]:
        """What a user sets to read from it."""

    @abstractmethod
    def bucket(self, endpoint: str, folder: str) -> Bucket:
        """A folder of its bucket."""

    @contextlib.contextmanager
    def begun(self, folder: Path) -> Iterator[str]:
        """Its endpoint in this block; the test is skipped where it is not installed."""
        program = self.program()
        if program is None:
            pytest.skip(f"not installed: {self.install}")
        port = free_port()
        endpoint = f"http://127.0.0.1:{port}"
        environ = {"GATEWAY_PORT": str(port), "PERSIST_STATE": "0"}
        with running(folder, *self.command(program, port), **environ):
            until(lambda: self._has_bucket(endpoint), f"{program} answers", every=0.1)
            yield endpoint

    def _has_bucket(self, endpoint: str) -> bool:
        try:
            with urllib.request.urlopen(self.bucket_request(endpoint), timeout=10):  # noqa: S310  # loopback
                return True
        except urllib.error.HTTPError as exc:
            exc.close()
            return exc.code == 409  # it is there
        except OSError:
            return False


class Ministack(OtherStore):
    """Many of Amazon's services in one process, S3 among them; it checks no signature."""

    install = "pip install ministack"

    def program(self) -> str | None:  # noqa: D102
        beside = Path(sys.executable).with_name("ministack")
        return str(beside) if beside.exists() else shutil.which("ministack")

    def command(self, program: str, port: int) -> tuple[str, ...]:  # noqa: ARG002, D102  # its environment has the port
        return (program,)

    def bucket_request(self, endpoint: str) -> urllib.request.Request:  # noqa: D102
        return urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")  # noqa: S310  # loopback

    def environ(self, endpoint: str) -> dict[str, str]:  # noqa: D102
        return environment_of(endpoint)

    def bucket(self, endpoint: str, folder: str) -> Bucket:  # noqa: D102
        return Bucket.at(endpoint, folder)


class Azurite(OtherStore):
    """Microsoft's server of Azure's blobs for tests; it checks signatures."""

    install = "npm install --prefix .tools azurite"

    def program(self) -> str | None:  # noqa: D102
        beside = ROOT / ".tools" / "node_modules" / ".bin" / "azurite-blob"
        return str(beside) if beside.exists() else shutil.which("azurite-blob")

    def command(self, program: str, port: int) -> tuple[str, ...]:  # noqa: D102
        flags = ("--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
        return (program, *flags, "--blobHost", "127.0.0.1", "--blobPort", str(port))

    def bucket_request(self, endpoint: str) -> urllib.request.Request:
        """Signed as learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key says."""
        date = datetime.datetime.now(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
        lines = ["PUT", *[""] * 11, *(f"{name}:{value}" for name, value in headers.items())]
        lines += [f"/{_ACCOUNT}/{_ACCOUNT}/{BUCKET}", "restype:container"]
        signed = hmac.new(base64.b64decode(_KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(signed).decode()}"
        uri = f"{endpoint}/{_ACCOUNT}/{BUCKET}?restype=container"
        return urllib.request.Request(uri, method="PUT", headers=headers)  # noqa: S310  # loopback

    def environ(self, endpoint: str) -> dict[str, str]:  # noqa: D102
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
            "AZURE_STORAGE_ENDPOINT": f"{endpoint}/{_ACCOUNT}",
            "AZURE_ALLOW_HTTP": "true",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def bucket(self, endpoint: str, folder: str) -> Bucket:  # noqa: D102
        from obstore.store import AzureStore

        settings: Any = {
            "account_name": _ACCOUNT,
            "account_key": _KEY,
            "endpoint": f"{endpoint}/{_ACCOUNT}",
        }
        store = AzureStore(BUCKET, config=settings, client_options={"allow_http": True})
        return Bucket(store, f"az://{BUCKET}", folder)


OTHER_STORES: dict[str, OtherStore] = {"ministack": Ministack(), "azurite": Azurite()}
