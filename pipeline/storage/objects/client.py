"""The process that asks the stores, one per process of ours, and the connections to it.

A process and each of its forks have one of their own, begun when it is first needed. It ends when the last of those
who hold the other end of its control socket have ended, however they ended.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_HELPER = Path(__file__).with_name("helper.py")


class _Helper:
    """A process that asks the stores, and its idle connections: each is used by one thread at a time.

    Attributes:
        pid: its number.
    """

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            # It ends by itself, and no signal of a terminal reaches it: a run that is interrupted may still have to look at its inputs.
            process = subprocess.Popen(  # noqa: S603  # this Python and a file of the package
                [sys.executable, "-P", str(_HELPER), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        process.returncode = 0  # nobody waits for it
        self.pid = process.pid
        self._idle: list[io.BufferedRWPair] = []

    def close(self) -> None:
        """Let go of it; it ends when its other holders have too."""
        self._control.close()
        while self._idle:
            _close(self._idle.pop())

    def ask(self, question: dict[str, Any], into: memoryview | None) -> dict[str, Any]:
        """The answer to a question; its bytes, if it has any, are in `into`."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connected()
        try:
            answer = _asked(connection, question, into)
        except (OSError, ValueError):
            _close(connection)
            raise
        self._idle.append(connection)
        return answer

    def _connected(self) -> io.BufferedRWPair:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            return ours.makefile("rwb")


_helper: _Helper | None = None
_beginning = threading.Lock()


def _forget() -> None:
    global _helper, _beginning  # noqa: PLW0603, RUF100  # one per process
    if _helper is not None:
        _helper.close()
    _helper, _beginning = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
atexit.register(_forget)


def ask(question: dict[str, Any], into: memoryview | None = None) -> dict[str, Any]:
    """The answer to a question to a store, see `helper`.

    :param into: where the bytes of the answer go; None: it has none.
    :raises OSError: there is no answer, as the process that asks has died.
    """
    global _helper  # noqa: PLW0603, RUF100  # one per process
    with _beginning:
        if _helper is None:
            _helper = _Helper()
        helper = _helper
    try:
        return helper.ask(question, into)
    except (OSError, ValueError) as exc:
        with _beginning:
            helper.close()
            if _helper is helper:
                _helper = None  # the next question begins another
        raise OSError("the process that reads from object stores has died") from exc


def _asked(
    connection: io.BufferedRWPair, question: dict[str, Any], into: memoryview | None
) -> dict[str, Any]:
    connection.write(json.dumps(question).encode("ascii") + b"\n")
    connection.flush()
    answer: dict[str, Any] = json.loads(connection.readline())
    size = answer["bytes"]
    if size and (into is None or size > len(into) or _fill(connection, into[:size]) < size):
        raise OSError("the answer has another size than was asked for")
    return answer


def _close(connection: io.BufferedRWPair) -> None:
    with contextlib.suppress(OSError):  # a question that nobody reads any more
        connection.close()


def _fill(stream: io.BufferedRWPair, into: memoryview) -> int:
    filled = 0
    while filled < len(into) and (taken := stream.readinto(into[filled:])):
        filled += taken
    return filled
