"""What is done to the hosts while a batch runs, and what must hold afterwards."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import network
from .batches import Stored, copied, run_locally
from .counting import Counting
from .services import ENVIRON, PROXY_PORT, STORE, Services

_PATIENCE_SECONDS = 60
_CUT_SECONDS = 5
_MIDDLE = 8
"""So many joined tables are there when something is done to the hosts."""

_OTHERS = ("many", ".many", "shards", ".shards", "demo/parts")
"""How names of files begin that are not the demo's."""


def show() -> bool:
    """Play all scenes, and print what was checked; False: something does not hold."""
    with tempfile.TemporaryDirectory(prefix="second-opinion-hosts-") as name:
        folder = Path(name)
        files = folder / "files"
        files.mkdir()
        copied(files)
        expected = {stem: run_locally(files, stem) for stem in ("demo", "many", "shards")}
        services = Services(folder)
        try:
            counting = Counting(network.SWITCH_ADDRESS, PROXY_PORT, STORE)
            stored = Stored(ENVIRON["AWS_ENDPOINT"], ENVIRON)
            _until(stored.answers, "a store that answers")
            stored.fill(files)
            stage = Stage(services, counting, stored, expected)
            return min([scene(stage) for scene in _SCENES])
        except BaseException:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-2000:]}")
            raise
        finally:
            services.end()


class Stage:
    """What the scenes work with.

    Attributes:
        services: what runs on the hosts.
        counting: the proxy that all requests to the store pass.
        stored: the bucket.
        expected: the digest of the report of a local run, by the manifest's stem.
    """

    def __init__(
        self, services: Services, counting: Counting, stored: Stored, expected: dict[str, str]
    ) -> None:
        self.services, self.counting, self.stored, self.expected = services, counting, stored, expected

    def disturbed(self, what: str, disturb: Callable[[], object]) -> bool:
        """Whether a batch of two workers gives the local run's report though something happens in the middle."""
        workers = self._begun("many")
        disturb()
        codes = [worker.wait(_PATIENCE_SECONDS) for worker in workers]
        return self.holds(what, "many", codes, self._joined("many"))

    def bereft(self, what: str, stem: str) -> bool:
        """Whether a batch of two workers gives the local run's report though the host of one is killed in the middle.

        What that host has finished is not made again; it may have been writing one table.
        """
        killed, left = self._begun(stem)
        killed.kill()
        killed.wait()
        codes = [left.wait(_PATIENCE_SECONDS)]
        joined = self._joined(stem)
        return self.holds(what, stem, codes, joined) and sum(times - 1 for times in joined.values()) <= 1

    def _begun(self, stem: str) -> list[subprocess.Popen[bytes]]:
        """Two workers in the middle of a batch that had not begun before."""
        self.stored.clear(stem, stem)
        self.counting.requests.clear()
        workers = [self.services.worker(host, stem) for host in ("first", "second")]
        _until(lambda: len(self._joined(stem)) >= _MIDDLE, "the middle of the batch")
        return workers

    def holds(self, what: str, stem: str, codes: list[int], joined: dict[str, int]) -> bool:
        """Print how a batch ended, and whether that is as it must be."""
        is_equal = self.stored.report(stem) == self.expected[stem]
        report = "the report of the local run" if is_equal else "ANOTHER REPORT"
        again = sum(times - 1 for times in joined.values())
        print(
            f"{what}: exit codes {codes}, {len(joined)} tables, {again} of them written again, {report}",
            flush=True,
        )
        return is_equal and not any(codes)

    def _joined(self, stem: str) -> dict[str, int]:
        return _tables(self.counting.puts(f"/{stem}/"))


def _tables(puts: dict[str, int]) -> dict[str, int]:
    """The joined tables among what was written."""
    return {path: times for path, times in puts.items() if not path.endswith(".audit.json")}


def _undisturbed(stage: Stage) -> bool:
    workers = [stage.services.worker(host, "demo") for host in ("first", "second")]
    codes = [worker.wait(_PATIENCE_SECONDS) for worker in workers]
    joined = _tables(stage.counting.puts("/joined/"))
    return stage.holds("two workers", "demo", codes, joined) and set(joined.values()) == {1}


def _killed(stage: Stage) -> bool:
    return stage.bereft("kill -9 of one worker's host", "many")


def _killed_among_shards(stage: Stage) -> bool:
    return stage.bereft("the same, for a table in shards", "shards")


def _cut_off(stage: Stage) -> bool:
    def cut() -> None:
        network.cut_off("first")
        time.sleep(_CUT_SECONDS)  # this is how long it is cut off
        network.give_back("first")

    return stage.disturbed("one host cut off for 5 s", cut)


def _without_store(stage: Stage) -> bool:
    def stop() -> None:
        stage.services.stop_store()
        time.sleep(_CUT_SECONDS)  # this is how long there is no store
        stage.services.go_on_store()

    return stage.disturbed("5 s without the store", stop)


def _without_luigid(stage: Stage) -> bool:
    return stage.disturbed("kill -9 of luigid", stage.services.restart_luigid)


def _nothing_to_do(stage: Stage) -> bool:
    stage.counting.requests.clear()
    code = stage.services.alone("first", "demo").wait(_PATIENCE_SECONDS)
    requests = stage.counting.requests
    own = ("list-type", "/demo.json", ".state/")
    read = [path for method, path in requests if method == "GET" and not any(each in path for each in own)]
    files = [name for name in stage.stored.names() if not name.startswith(_OTHERS)]
    folders = {name.rpartition("/")[0] for name in files}
    bound = 2 * len(files) + len(folders)
    print(
        f"nothing to do: exit code {code}, {len(requests)} requests (at most {bound} for {len(files)} files), "
        f"{len(read)} contents read",
        flush=True,
    )
    return code == 0 and not read and len(requests) <= bound


_SCENES = (
    _undisturbed,
    _nothing_to_do,
    _killed,
    _killed_among_shards,
    _cut_off,
    _without_store,
    _without_luigid,
)


def _until(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds.

    :raises TimeoutError: it does not for long.
    """
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(f"there is no sign of {what}")
        time.sleep(0.05)
