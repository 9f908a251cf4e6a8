"""One run of a batch at a time, unless a central scheduler divides the work."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from ...errors import BatchBusyError, OutputError, show
from .. import writing
from ..locations import Location
from .lease import leasing


@contextlib.contextmanager
def holding(path: Location, *, shared: bool) -> Iterator[None]:
    """Hold the lock at `path`; it is free when the last process of the run has ended, in whatever way.

    :param shared: hold it together with other runs that share it, as workers of one luigid do.
    :raises BatchBusyError: another run holds it; the message names it.
    :raises OutputError: the lock cannot be written.
    """
    hold = _flock(path, shared=shared) if isinstance(path, Path) else leasing(path, shared=shared)
    with hold:
        yield


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for the other processes of this host that are in such a block, and be in it alone.

    A file system without locks lets them all in.

    :raises OutputError: the file cannot be written.
    """
    with writing.guarded(path):
        handle = writing.open_own(path, os.O_RDWR)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _flock(path: Path, *, shared: bool) -> Iterator[None]:
    """Hold a local lock file, which the kernel frees."""
    with writing.guarded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = writing.open_own(path, os.O_RDWR)
    try:
        _acquire(handle, path, shared=shared)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, *, shared: bool) -> None:
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BatchBusyError(f"{path}: {_holder(handle)} holds this batch; wait for it, or stop it") from None
    except OSError as exc:
        raise OutputError(f"{path}: cannot be locked: {exc.strerror}") from exc
    holder = json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode("ascii")
    with contextlib.suppress(
        OSError
    ):  # a full disk: the lock is held anyway, and this text is only for the message
        os.ftruncate(handle, 0)
        os.pwrite(handle, holder + b"\n", 0)


def _holder(handle: int) -> str:
    try:
        held = json.loads(os.pread(handle, 4096, 0))
        return f"process {held['pid']} on {show(held['host'])}, or a worker that it started,"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"
