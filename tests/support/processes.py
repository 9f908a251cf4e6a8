"""The project's command, Luigi's own and luigid in processes of their own: started, watched, killed.

A test waits for what it needs to see by `until`, which has a deadline; nothing sleeps for luck.
"""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .forks import DEADLINE_SECONDS as DEADLINE_SECONDS
from .forks import ROOT as ROOT
from .forks import Fork, can_be_forked
from .forks import environment as environment
from .forks import heeding as heeding

Found = TypeVar("Found")

COMMAND = (sys.executable, "-m", "pipeline")
# Luigi refuses a command line that runs already, wherever: as a test may do beside another.
LUIGI = (sys.executable, "-m", "luigi", "--module", "pipeline", "--no-lock")
"""Forked where nobody can tell the difference, see `forks`."""
FRESH = (str(Path(sys.executable).with_name("second-opinion")),)
FRESH_LUIGI = (str(Path(sys.executable).with_name("luigi")), *LUIGI[3:])
"""The same as users start them."""
NO_SECTIONS: Mapping[str, Mapping[str, str]] = {}


def started(
    folder: Path, *command: str, timeout: float = DEADLINE_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder` to its end, in a session of its own."""
    with running(folder, *command) as process:
        return process.end(timeout)


def second_opinion(folder: Path, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run the project's command in `folder` to its end."""
    return started(folder, *COMMAND, *arguments, **how)


def until(condition: Callable[[], Found], what: str, every: float = 0.002) -> Found:
    """Poll, every so many seconds, until the condition gives something that is true, and give it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(every)
    return found


class Running:
    """A command that runs beside the test, in a session and so in a process group of its own."""

    def __init__(self, folder: Path, *command: str, **environ: str) -> None:
        self._gone = False  # and its number may soon be that of a stranger's group
        given = environment(**environ)
        self._process = (
            Fork(folder, command, given) if can_be_forked(command, given) else _fresh(folder, command, given)
        )

    @property
    def pid(self) -> int:
        """The number of its first process, and of its group."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether its first process has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill -9 all its processes, and wait until each has let go of its files, the lock among them."""
        if not self._gone:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.communicate(timeout=DEADLINE_SECONDS)
            until(lambda: not _alive(self.pid), "the end of what was killed")
            self._gone = True

    def end(self, timeout: float = DEADLINE_SECONDS) -> subprocess.CompletedProcess[str]:
        """Wait for its end; tells how it ended."""
        out, err = self._process.communicate(timeout=timeout)
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            self._gone = True
        code = self._process.poll()
        assert code is not None
        return subprocess.CompletedProcess(self._process.args, code, out, err)


def _alive(group: int) -> bool:
    """Whether a process of the group may still hold files; one that waits to be reaped holds none."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ends meanwhile
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def _fresh(folder: Path, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[str]:
    with heeding():
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


@contextlib.contextmanager
def running(folder: Path, *command: str, **environ: str) -> Iterator[Running]:
    """A command that runs beside the block; what is left of it then is killed."""
    process = Running(folder, *command, **environ)
    try:
        yield process
    finally:
        process.kill()


def writers(run: Running, place: Path) -> set[int]:
    """The processes of a run that are writing the file `place` right now, or any file in that folder.

    It fails the test if the run has ended.
    """
    assert run.runs, f"the run has ended: {run.end().stderr}"
    folder, name = (place, r".+") if place.suffix == "" else (place.parent, re.escape(place.name))
    found = (re.fullmatch(rf"\.{name}\.\w*-(\d+)-\w+\.tmp", path.name) for path in folder.glob(".*"))
    return {int(each[1]) for each in found if each}


class Luigid:
    """A luigid on loopback, configured like the project's own but for a short patience with dead workers."""

    disconnect_seconds = 3

    def __init__(self, folder: Path, sections: Mapping[str, Mapping[str, str]] = NO_SECTIONS) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        settings = configparser.ConfigParser()
        settings.read(ROOT / "luigi.cfg", "utf-8")
        for name, section in sections.items():
            settings.read_dict({name: section})
        settings["scheduler"]["worker_disconnect_delay"] = str(self.disconnect_seconds)
        with (folder / "luigi.cfg").open("w", encoding="utf-8") as stream:
            settings.write(stream)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it; returns when it answers. May be called again once it was killed."""
        self._process = Running(
            self._folder,
            str(Path(sys.executable).with_name("luigid")),
            *("--address", "127.0.0.1", "--port", str(self.port)),
            *("--logdir", str(self._folder), "--state-path", str(self._folder / "state.pickle")),
            LUIGI_CONFIG_PATH=str(self._folder / "luigi.cfg"),
        )
        until(self._answers, "a luigid that answers")

    def kill(self) -> None:
        """Kill -9: it saves nothing of what it knows."""
        self._process.kill()

    def ask(self, method: str, **arguments: object) -> Any:
        """What a method of its API answers."""
        query = urllib.parse.urlencode({"data": json.dumps(arguments)})
        with urllib.request.urlopen(f"{self.url}/api/{method}?{query}", timeout=10) as answer:  # noqa: S310  # loopback
            return json.load(answer)["response"]

    def _answers(self) -> bool:
        assert self._process.runs, self._process.end().stderr
        try:
            self.ask("task_list", status="", upstream_status="")
        except OSError:
            return False
        return True


@contextlib.contextmanager
def luigid(folder: Path, sections: Mapping[str, Mapping[str, str]] = NO_SECTIONS) -> Iterator[Luigid]:
    """A luigid that runs beside the block, with its files in `folder`.

    :param sections: options of its configuration beyond the project's own.
    """
    server = Luigid(folder, sections)
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """A port on loopback that nothing listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
