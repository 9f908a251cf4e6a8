"""Ctrl-C, SIGTERM and SIGHUP end a run in one way: what is half-written is removed, then it ends."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

_UNWINDING_SECONDS = 1.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and a terminal or a connection that is closed."""


@dataclass
class _Interrupt:
    """Whether the user has interrupted the run, and when that was last raised."""

    pending: bool = False
    raised: float = -math.inf

    def receive(self, *_: object) -> None:
        """Handle a signal; a second one within a second does not stop the removal of half-written files."""
        self.pending = True
        if time.monotonic() - self.raised >= _UNWINDING_SECONDS:
            self.raised = time.monotonic()
            _end()


_interrupt = _Interrupt()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM and SIGHUP unwind as Ctrl-C does; a second signal within a second does not cut that short.

    Workers inherit it: a Ctrl-C reaches them from the terminal, and at once SIGTERM from Luigi. A signal that
    the parent process ignores (nohup, a shell's background job) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    reset()
    heeded = [each for each in _ENDING if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, _interrupt.receive) for each in heeded}
    try:
        yield
        check()
    finally:
        reset()
        for each, handler in before.items():
            signal.signal(each, handler)


def check() -> None:
    """End if the run was interrupted: Python drops exceptions raised in a hook, such as those of a fork.

    :raises KeyboardInterrupt: it was interrupted; in a worker process SystemExit.
    """
    if _interrupt.pending and threading.current_thread() is threading.main_thread():
        _end()


def reset() -> None:
    """Reset the pending interrupt."""
    _interrupt.pending, _interrupt.raised = False, -math.inf


def _end() -> NoReturn:
    # A worker process would show a traceback for a KeyboardInterrupt.
    raise KeyboardInterrupt if multiprocessing.parent_process() is None else SystemExit
