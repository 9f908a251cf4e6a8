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
from collections.abc import Iterator
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

    @contextlib.contextmanager
    def connection(self) -> Iterator[io.BufferedRWPair]:
        """A connection that is used by this block alone; another may have it later if nothing is raised."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connected()
        try:
            yield connection
        except BaseException:
            _close(connection)
            raise
        self._idle.append(connection)

    def _connected(self) -> io.BufferedRWPair:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            return ours.makefile("rwb")


_DIED = "the process that asks object stores has died"

_helper: _Helper | None = None
_beginning = threading.Lock()


def _forget() -> None:
    global _helper, _beginning  # noqa: PLW0603, RUF100  # one per process
    if _helper is not None:
        _helper.close()
    _helper, _beginning = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
atexit.register(_forget)


def ask(question: dict[str, Any], content: bytes = b"", into: memoryview | None = None) -> dict[str, Any]:
    """The answer to a question to a store, see `helper`.

    :param content: bytes that belong to the question.
    :param into: where the bytes of the answer go; None: they are in its `content`.
    :raises OSError: there is no answer, as the process that asks has died.
    """
    with _asking() as connection:
        _write(connection, question | {"bytes": len(content)}, content)
        return _answer(connection, into)


class Stream:
    """A question whose content is handed over block by block; the answer comes when that is complete.

    :raises OSError: every method may, as the process that asks may have died.
    """

    def __init__(self, question: dict[str, Any]) -> None:
        self._stack = contextlib.ExitStack()
        self._connection = self._stack.enter_context(_asking())
        _write(self._connection, question | {"stream": True}, b"")

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Hand over a block that is not empty."""
        try:
            self._connection.write(len(block).to_bytes(8, "big"))
            self._connection.write(block)
            self._connection.flush()
        except OSError as exc:
            raise OSError(_DIED) from exc

    def complete(self) -> dict[str, Any]:
        """The answer, after the last block."""
        with self._stack:
            self._connection.write(bytes(8))
            self._connection.flush()
            return _answer(self._connection, None)

    def abort(self) -> None:
        """End without the last block, so that nothing is written."""
        with contextlib.suppress(_Aborted), self._stack:
            raise _Aborted


class _Aborted(Exception):  # it is no error
    pass


@contextlib.contextmanager
def _asking() -> Iterator[io.BufferedRWPair]:
    """A connection to the process that asks, which is begun if there is none.

    :raises OSError: it dies while this block uses the connection.
    """
    global _helper  # noqa: PLW0603, RUF100  # one per process
    with _beginning:
        if _helper is None:
            _helper = _Helper()
        helper = _helper
    try:
        with helper.connection() as connection:
            yield connection
    except (OSError, ValueError) as exc:
        with _beginning:
            helper.close()
            if _helper is helper:
                _helper = None  # the next question begins another
        raise OSError(_DIED) from exc


def _write(connection: io.BufferedRWPair, question: dict[str, Any], content: bytes) -> None:
    connection.write(json.dumps(question).encode("ascii") + b"\n")
    connection.write(content)
    connection.flush()


def _answer(connection: io.BufferedRWPair, into: memoryview | None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(connection.readline())
    size = answer["bytes"]
    if into is None:
        answer["content"] = connection.read(size)
        whole = len(answer["content"]) == size
    else:
        whole = size <= len(into) and _fill(connection, into[:size]) == size
    if not whole:
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
