"""Ctrl-C, SIGTERM and SIGHUP end a run in one way: what is half-written is removed, then it ends."""

from __future__ import annotations

import contextlib
import math
import os
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
    """Whether the user has interrupted the run, when that was last raised, and the process that runs it."""

    pending: bool = False
    raised: float = -math.inf
    process: int = 0
    deferred: bool = False

    def receive(self, *_: object) -> None:
        """Handle a signal; a second one within a second does not stop the removal of half-written files."""
        self.pending = True
        if not self.deferred and time.monotonic() - self.raised >= _UNWINDING_SECONDS:
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


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Have signals wait while a process is forked, in the new one until `obey`: Python drops what a fork's hooks raise."""
    _interrupt.deferred = True
    try:
        yield
    finally:
        obey()


def obey() -> None:
    """End if a signal came since `deferred`; the next one ends this process at once."""
    _interrupt.deferred = False
    check()


def check() -> None:
    """End if the run was interrupted: Python drops what a signal raises within a finalizer or another hook.

    :raises KeyboardInterrupt: it was interrupted; in a worker process SystemExit.
    """
    if _interrupt.pending and threading.current_thread() is threading.main_thread():
        _end()


def reset() -> None:
    """Reset the pending interrupt; this process is the run's."""
    _interrupt.pending, _interrupt.raised, _interrupt.process = False, -math.inf, os.getpid()


def _end() -> NoReturn:
    _interrupt.raised = time.monotonic()
    # A worker process would show a traceback for a KeyboardInterrupt.
    raise KeyboardInterrupt if os.getpid() == _interrupt.process else SystemExit
