"""Run the command, and kill -9 all its processes right before the n-th change to a file below the working folder.

::

    python -m tests.crashing N run m.json --workers 2

A change is what Python announces of opening for writing, renaming, removing, dating, making folders; the count
goes over all processes of the run, which must lead a process group of its own. Before a change lies the whole
time since the one before, so that every N is another moment. With N beyond the last change nothing happens.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

from pipeline.__main__ import main

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


if __name__ == "__main__":
    crash_before(int(sys.argv[1]))
    main(sys.argv[2:])
