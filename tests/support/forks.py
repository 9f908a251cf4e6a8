"""The project's command in processes that start at once: forks of one process in which all is imported already.

A test whose subject is what a command leaves behind, or prints, and not how it starts, need not pay for its start:
five times the rest. What such a process inherits is no more than a fresh one would import; what it is given is its own:
session, folder, environment and streams. The real start is tested where `processes` is used.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.processes import DEADLINE_SECONDS, ROOT, environment, heeding

_LONGEST = 1 << 20
"""Bytes of a request at most."""


def forked(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the project's command in `folder` to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = begun(folder, arguments, out.fileno(), err.fileno(), **environ)()
        printed = []
        for stream in (out, err):
            stream.seek(0)
            printed.append(stream.read().decode("utf-8"))
    return subprocess.CompletedProcess(arguments, code, *printed)


def begun(folder: Path, arguments: Sequence[str], out: int, err: int, **environ: str) -> Callable[[], int]:
    """Begin the project's command in `folder`; what is given waits for its end, before which no other can be begun.

    :param out: the handle of what it prints to.
    :param err: that of what it prints errors to.
    :returns: gives the exit code, negative the signal that ended it.
    """
    asked = {"folder": str(folder), "arguments": arguments, "environ": environment(**environ)}
    server = _server()
    socket.send_fds(server, [json.dumps(asked).encode()], [out, err])
    return lambda: int(server.recv(_LONGEST))


@functools.cache
def _server() -> socket.socket:
    """The other end of the process that is forked, which ends with this one."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    ours.settimeout(DEADLINE_SECONDS)
    with theirs, heeding():
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forks", str(theirs.fileno())],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    atexit.register(_end, ours, process)
    return ours


def _end(server: socket.socket, process: subprocess.Popen[bytes]) -> None:
    server.close()
    process.wait(DEADLINE_SECONDS)


def _serve(server: socket.socket) -> None:
    """Run one command after another, until nobody can ask any more."""
    while True:
        request, handles, _, _ = socket.recv_fds(server, _LONGEST, 2)
        if not request:
            return
        child = os.fork()
        if child == 0:
            server.close()
            _become(handles, **json.loads(request))
        for handle in handles:
            os.close(handle)
        _, status = os.waitpid(child, 0)
        server.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(handles: list[int], folder: str, arguments: list[str], environ: Mapping[str, str]) -> None:
    """Be the command."""
    os.setsid()
    for stream, handle in enumerate(handles, 1):
        os.dup2(handle, stream)
        os.close(handle)
    # as Python opens them when it starts: what they are decides how they are written to
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # a handle, to the end
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115  # likewise
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    main(arguments)


if __name__ == "__main__":
    import rich.progress  # noqa: F401  # what commands import when they run

    import pipeline.cli.console
    import pipeline.join.materialize
    import pipeline.report.markdown
    import pipeline.tasks.run
    import pipeline.tasks.scheduling  # noqa: F401
    from pipeline.cli.main import main
    from pipeline.records.versions import code_sha256

    code_sha256()  # once, and not again in each run
    gc.freeze()  # or each run, at its end, would copy all that it was given to take it apart
    _serve(socket.socket(fileno=int(sys.argv[1])))
