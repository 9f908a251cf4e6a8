"""Run a command over and over, each time in a fresh copy of a folder and with another of its calls failing.

::

    python -m tests.support.faulting START EVERY run m.json

In the copy of START called `1-EIO` the first call that concerns a file below it fails, once, with that error; in
the next copy the one EVERY calls later fails, with another error, and so on, until no call is left. With EVERY 0
each call fails with each error. What failed and how the command ended stands beside the copy: `1-EIO.json`.

The calls are those of Python to the system: files opened, read, written, locked, made durable, dated, renamed,
removed, asked about, folders made and listed, over all processes of the run. What pyarrow opens by itself (Parquet
that is read, Parquet that is written from another format) is not among them.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import functools
import gc
import io
import itertools
import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rich.progress  # noqa: F401  # imported for the runs, which begin as forks of this process

import pipeline.cli.console
import pipeline.join.materialize
import pipeline.report.markdown
import pipeline.tasks.graph
import pipeline.tasks.run
import pipeline.tasks.scheduling  # likewise
from pipeline.cli.main import main
from pipeline.records.versions import code_sha256

ERRORS = (errno.EIO, errno.ENOSPC, errno.EACCES)
_BY_NAME = ("stat", "lstat", "open", "mkdir", "replace", "unlink", "utime", "scandir", "listdir", "readlink")
_BY_HANDLE = ("fsync", "pread", "pwrite", "ftruncate")
_plain_open, _plain_readlink = io.open, os.readlink


class Fault:
    """One call that fails: the `nth`, counted from 1, that concerns a file below the folder."""

    def __init__(self, folder: Path, nth: int, code: int, note: Path) -> None:
        self._folder, self._nth, self._code, self._note = folder, nth, code, note
        self._calls = multiprocessing.Value("i", 0)

    def meet(self, call: str, file: Any) -> None:
        """Count a call.

        :raises OSError: it is the one.
        """
        place = self.place(file)
        if place is None:
            return
        with self._calls.get_lock():
            self._calls.value += 1
            if self._calls.value != self._nth:
                return
        with _plain_open(self._note, "w", encoding="utf-8") as stream:
            json.dump({"call": call, "path": place.relative_to(self._folder).as_posix()}, stream)
        name = None if hasattr(file, "fileno") or isinstance(file, int) else os.fspath(file)
        raise OSError(self._code, os.strerror(self._code), *([] if name is None else [name]))

    def place(self, file: Any) -> Path | None:
        """The file below the folder that a name or handle stands for."""
        if hasattr(file, "fileno"):
            file = file.fileno()
        if isinstance(file, int):
            file = _plain_readlink(f"/proc/self/fd/{file}")
            if not file.startswith("/"):  # a pipe
                return None
        path = self._folder / os.fsdecode(file)
        return path if path.is_relative_to(self._folder) else None

    def install(self) -> None:
        """Have the calls of this process, and of those it forks, come by."""
        for name in (*_BY_NAME, *_BY_HANDLE):
            setattr(os, name, self._met(name, getattr(os, name)))
        fcntl.flock = self._met("flock", fcntl.flock)
        builtins.open = io.open = functools.partial(_opened, self)

    def _met(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def meeting(file: Any = ".", *args: Any, **more: Any) -> Any:
            self.meet(name, file)
            return call(file, *args, **more)

        return meeting


class _File(io.FileIO):
    """A file whose reads and writes may fail."""

    fault: Fault

    def read(self, *size: Any) -> Any:
        self.fault.meet("read", self)
        return super().read(*size)

    def readall(self) -> Any:
        self.fault.meet("read", self)
        return super().readall()

    def readinto(self, buffer: Any) -> Any:
        self.fault.meet("read", self)
        return super().readinto(buffer)

    def write(self, content: Any) -> Any:
        self.fault.meet("write", self)
        return super().write(content)


def _opened(
    fault: Fault,
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    *how: Any,
    **more: Any,
) -> Any:
    """What `open` gives, of files that may fail."""
    if fault.place(file) is None:
        return _plain_open(file, mode, buffering, encoding, *how, **more)
    fault.meet("open", file)
    raw = _File(file, mode.replace("b", "").replace("t", ""))
    raw.fault = fault
    if buffering == 0:
        return raw
    kind = io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter
    return kind(raw) if "b" in mode else io.TextIOWrapper(kind(raw), encoding, *how, **more)


def run(folder: Path, nth: int, code: int, argv: list[str]) -> bool:
    """Run the command in `folder` and have a call of it fail; False: it has fewer."""
    note = folder.with_suffix(".json")
    said = [folder.with_suffix(suffix) for suffix in (".out", ".err")]
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        for stream, place in enumerate(said, 1):
            os.dup2(os.open(place, os.O_WRONLY | os.O_CREAT), stream)
        Fault(folder, nth, code, note).install()
        main(argv)
    _, status = os.waitpid(child, 0)
    if not note.exists():
        return False
    out, err = (place.read_text("utf-8") for place in said)
    ended = {"code": os.waitstatus_to_exitcode(status), "out": out, "err": err, "errno": code}
    note.write_text(json.dumps(json.loads(note.read_text("utf-8")) | ended), "utf-8")
    return True


def moments(every: int) -> Iterator[tuple[int, int]]:
    """Which call fails, and how: one of so many, each in another way; 0: each in each way."""
    if every:
        yield from zip(itertools.count(1, every), itertools.cycle(ERRORS))
    for nth in itertools.count(1):
        yield from ((nth, code) for code in ERRORS)


if __name__ == "__main__":
    start, step, *command = sys.argv[1:]
    # Several workers make the smallest tables in processes of their own.
    pipeline.tasks.shared.SMALL_BYTES = -1
    code_sha256()  # once, and not again in each run
    gc.freeze()  # or each run, at its end, would copy all that it was given to take it apart
    for nth, code in moments(int(step)):
        copy = Path(f"{nth}-{errno.errorcode[code]}").absolute()
        if not run(Path(shutil.copytree(start, copy)), nth, code, command):
            shutil.rmtree(copy)
            break
