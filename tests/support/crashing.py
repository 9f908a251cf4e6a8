"""Run a command over and over, each time in a fresh copy of a folder and killed at a later moment.

::

    python -m tests.support.crashing START run m.json --workers 2

The copy of START called `1` is where the command's whole process group was killed (-9) right before its first
change to a file, the copy `2` before its second, and so on; in the last copy the command came to its end. A
change is what Python announces of opening for writing, renaming, removing, dating and making folders, counted
over all processes of the run. Before a change lies all the time since the one before, so each is another moment.
"""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import shutil
import signal
import sys
from pathlib import Path

import rich.progress  # noqa: F401  # imported for the runs, which begin as forks of this process

import pipeline.cli.console
import pipeline.join.materialize
import pipeline.tasks.graph  # likewise
import pipeline.tasks.run
from pipeline.cli.main import main
from pipeline.records.versions import code_sha256

_CHANGES = {"os.rename", "os.remove", "os.utime", "os.mkdir"}
_WRITING = os.O_WRONLY | os.O_RDWR


def crash_before(nth: int) -> None:
    """Have the process group killed before its `nth` change, counted from 1, to a file below the working folder."""
    folder = Path.cwd()
    changes = multiprocessing.Value("i", 0)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if not _is_change(event, arguments, folder):
            return
        with changes.get_lock():
            changes.value += 1
            if changes.value == nth:
                os.killpg(0, signal.SIGKILL)

    sys.addaudithook(hook)


def _is_change(event: str, arguments: tuple[object, ...], folder: Path) -> bool:
    if event == "open":
        path, _, flags = arguments
        changes = isinstance(flags, int) and bool(flags & _WRITING)
    else:
        path = arguments[0] if arguments else None
        changes = event in _CHANGES
    return changes and isinstance(path, str | os.PathLike) and (folder / path).is_relative_to(folder)


def run(folder: Path, nth: int, argv: list[str]) -> int:
    """Run the command in `folder`, and crash it; gives its exit code, negative the signal that ended it."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(folder)
        crash_before(nth)
        main(argv)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    start, *command = sys.argv[1:]
    # Several workers make the smallest tables in processes of their own.
    pipeline.tasks.shared.SMALL_BYTES = -1
    code_sha256()  # once, and not again in each run
    gc.freeze()  # or each run, at its end, would copy all that it was given to take it apart
    ended = -signal.SIGKILL
    for moment in itertools.count(1):
        ended = run(shutil.copytree(start, Path(str(moment))), moment, command)
        if ended != -signal.SIGKILL:
            sys.exit(ended)
