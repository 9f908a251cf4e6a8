"""Ctrl-C and SIGTERM end a run in one way: what is half-written is removed, then it ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM unwind as Ctrl-C does, and no second signal cut short what removes half-written files.

    Workers inherit it: a Ctrl-C reaches them from the terminal, and at once SIGTERM from Luigi.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    unwinding = False

    def interrupt(*_: object) -> None:
        nonlocal unwinding
        if not unwinding:
            unwinding = True
            # A worker process would show a traceback for a KeyboardInterrupt.
            raise KeyboardInterrupt if multiprocessing.parent_process() is None else SystemExit

    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return
    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
