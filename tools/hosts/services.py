"""What runs on the hosts: the store, luigid, and workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from . import network
from .batches import BUCKET, COMMAND

PROXY_PORT, _STORE_PORT, _LUIGID_PORT = 8334, 8333, 8082
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo-secret",
    "AWS_ENDPOINT": f"http://{network.SWITCH_ADDRESS}:{PROXY_PORT}",
    "AWS_ALLOW_HTTP": "true",
    "AWS_REGION": "us-east-1",
}
STORE = (network.address("store"), _STORE_PORT)
_LUIGI = """
[scheduler]
worker_disconnect_delay = 4
retry_delay = 1
stable_done_cooldown_secs = 0
[worker]
ping_interval = 0.5
keep_alive = true
"""


def weed() -> str | None:
    """The program of SeaweedFS; None: it is not installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


class Services:
    """The services of one demonstration; `folder` holds their files and logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "luigi.cfg").write_text(_LUIGI, "utf-8")
        self._store = self._begin_store()
        self._luigid = self._begin_luigid()

    def worker(self, host: str, name: str) -> subprocess.Popen[bytes]:
        """A worker on a host, that takes part in the batch of a manifest in the bucket."""
        url = f"http://{network.address('luigid')}:{_LUIGID_PORT}"
        return self._on(host, *COMMAND, "run", f"s3://{BUCKET}/{name}.json", "--scheduler", url)

    def alone(self, host: str, name: str) -> subprocess.Popen[bytes]:
        """A run on a host without luigid."""
        return self._on(host, *COMMAND, "run", f"s3://{BUCKET}/{name}.json")

    def stop_store(self) -> None:
        """Stop the store for a while."""
        os.killpg(self._store.pid, signal.SIGSTOP)

    def go_on_store(self) -> None:
        """Have it go on."""
        os.killpg(self._store.pid, signal.SIGCONT)

    def restart_luigid(self) -> None:
        """Kill luigid, and begin it again with no memory."""
        self._luigid.kill()
        self._luigid.wait()
        self._luigid = self._begin_luigid()

    def end(self) -> None:
        """Kill the services."""
        for process in (self._store, self._luigid):
            process.kill()
            process.wait()

    def _on(self, host: str, *command: str) -> subprocess.Popen[bytes]:
        environ = ENVIRON | {"LUIGI_CONFIG_PATH": str(self._folder / "luigi.cfg")}
        return network.on(host, *command, environ=environ, log=str(self._folder / f"{host}.log"))

    def _begin_luigid(self) -> subprocess.Popen[bytes]:
        luigid = str(Path(sys.executable).with_name("luigid"))
        place = ("--address", network.address("luigid"), "--port", str(_LUIGID_PORT))
        return self._on("luigid", luigid, *place, "--logdir", "/var/tmp")  # noqa: S108  # the host's own

    def _begin_store(self) -> subprocess.Popen[bytes]:
        keys = {"accessKey": ENVIRON["AWS_ACCESS_KEY_ID"], "secretKey": ENVIRON["AWS_SECRET_ACCESS_KEY"]}
        identity = {"name": "demo", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}
        config = self._folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}), "utf-8")
        data = self._folder / "store"
        data.mkdir()
        address = network.address("store")
        return self._on(
            "store",
            *(
                weed() or "",
                "-logtostderr",
                "server",
                f"-dir={data}",
                f"-ip={address}",
                f"-ip.bind={address}",
            ),
            *(
                "-s3",
                f"-s3.port={_STORE_PORT}",
                f"-s3.config={config}",
                "-s3.iam=false",
                "-s3.port.iceberg=0",
            ),
            *(
                "-s3.port.lance=0",
                "-volume.max=50",
                "-master.volumeSizeLimitMB=64",
                "-master.telemetry=false",
            ),
            *(
                "-master.electionTimeout=1s",
                f"-filer.localSocket={data}/f.sock",
                f"-s3.localSocket={data}/s.sock",
            ),
        )
