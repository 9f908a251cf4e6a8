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
class _Asked:
    """Whether an end was asked for, and when that was last raised."""

    once: bool = False
    raised: float = -math.inf

    def interrupt(self, *_: object) -> None:
        """Take a signal; one that comes soon after another does not cut short what removes half-written files."""
        self.once = True
        if time.monotonic() - self.raised >= _UNWINDING_SECONDS:
            self.raised = time.monotonic()
            _end()


_asked = _Asked()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM and SIGHUP unwind as Ctrl-C does, and no second signal within a second cut it short.

    Workers inherit it: a Ctrl-C reaches them from the terminal, and at once SIGTERM from Luigi. A signal that
    whoever began the run has ignored (nohup, a shell's background job) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return
    forget()
    heeded = [each for each in _ENDING if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, _asked.interrupt) for each in heeded}
    try:
        yield
        check()
    finally:
        forget()
        for each, handler in before.items():
            signal.signal(each, handler)


def check() -> None:
    """End if that was asked for: Python drops what is raised in a hook, such as those of a fork.

    :raises KeyboardInterrupt: it was; in a worker process SystemExit.
    """
    if _asked.once and threading.current_thread() is threading.main_thread():
        _end()


def forget() -> None:
    """Take what was asked for as answered."""
    _asked.once, _asked.raised = False, -math.inf


def _end() -> NoReturn:
    # A worker process would show a traceback for a KeyboardInterrupt.
    raise KeyboardInterrupt if multiprocessing.parent_process() is None else SystemExit
