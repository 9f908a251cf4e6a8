"""The project's command and Luigi's in processes that start at once: forks of one process in which all is imported already.

A test whose subject is what a command does, leaves behind or prints, and not how it starts, need not pay for its start:
one to four seconds of a core. What such a process inherits is no more than a fresh one would import; what it is given is
its own: number, session, folder, environment and streams. The real start is tested where `FRESH` is used, by the README's
commands and by those of the docs.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = ("pipeline", "luigi")
"""What a fork can be, as in `python -m pipeline`."""

_LONGEST = 1 << 20  # bytes of a request at most
DEADLINE_SECONDS = 180.0
# What Python or a library reads when it starts: a command with a value of its own needs a fresh process.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "OMP_", "LUIGI_CONFIG", "COVERAGE_", "MPL", "TZ")


@contextlib.contextmanager
def heeding() -> Iterator[None]:
    """What begins in this block heeds the signals that end a process, as if it was begun in a terminal.

    A process inherits what its parent ignores: the tests may run under nohup, or in the background of a shell, which
    ignore some of them.
    """
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for each, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)  # which no child keeps beyond its exec
    try:
        yield
    finally:
        for each, handler in before.items():
            if handler is signal.SIG_IGN:
                signal.signal(each, handler)


def environment(**added: str) -> dict[str, str]:
    """The environment of a user who has set PYTHONPATH and LUIGI_CONFIG_PATH to the checkout."""
    return os.environ | {"PYTHONPATH": str(ROOT), "LUIGI_CONFIG_PATH": str(ROOT / "luigi.cfg")} | added


def can_be_forked(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether a command is one of `PROGRAMS`, and starts as any other does."""
    known = environment()
    own = {name for name in known.keys() | environ.keys() if known.get(name) != environ.get(name)}
    return (
        tuple(command[:2]) == (sys.executable, "-m")
        and command[2] in PROGRAMS
        and not any(name.startswith(_READ_AT_START) for name in own)
    )


class Fork:
    """A process that was forked, as `subprocess.Popen` shows one; it prints to files.

    Attributes:
        args: the command that it is.
        pid: its number, and that of its group.
        returncode: its exit code, negative the signal that ended it; None until somebody asked and it had ended.
    """

    def __init__(self, folder: Path, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.args = [*command]
        self.returncode: int | None = None
        self._printed = (os.memfd_create("out"), os.memfd_create("err"))
        self._told = _begun(folder, command[2], command[3:], *self._printed, environ)
        self.pid = int(self._told.recv(_LONGEST))

    def poll(self) -> int | None:
        """Its exit code if it has ended."""
        return self._waited(0.0)

    def communicate(self, timeout: float = DEADLINE_SECONDS) -> tuple[str, str]:
        """Wait for its end; gives what it and its children have printed.

        :raises subprocess.TimeoutExpired: it takes longer, in seconds.
        """
        if self._waited(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self._shown

    @functools.cached_property
    def _shown(self) -> tuple[str, str]:
        out, err = map(_read, self._printed)
        return out, err

    def _waited(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            self.returncode = int(self._told.recv(_LONGEST))
            self._told.close()
        return self.returncode


def _read(handle: int) -> str:
    with open(handle, encoding="utf-8") as stream:  # a handle has no path
        stream.seek(0)
        return stream.read()


def forked(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the project's command in `folder` to its end."""
    fork = Fork(folder, [sys.executable, "-m", "pipeline", *arguments], environment(**environ))
    out, err = fork.communicate()
    code = fork.poll()
    assert code is not None
    return subprocess.CompletedProcess(arguments, code, out, err)


def begun(folder: Path, arguments: Sequence[str], out: int, err: int, **environ: str) -> Callable[[], int]:
    """Begin the project's command in `folder`.

    :param out: the handle of what it prints to.
    :param err: that of what it prints errors to.
    :returns: waits for its end, and gives the exit code, negative the signal that ended it.
    """
    told = _begun(folder, "pipeline", arguments, out, err, environment(**environ))
    told.recv(_LONGEST)

    def end() -> int:
        with told:
            return int(told.recv(_LONGEST))

    return end


def _begun(
    folder: Path, program: str, arguments: Sequence[str], out: int, err: int, environ: Mapping[str, str]
) -> socket.socket:
    """Begin a program. What is given tells its number, and then its exit code."""
    asked = {"folder": str(folder), "program": program, "arguments": [*arguments], "environ": dict(environ)}
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    ours.settimeout(DEADLINE_SECONDS)
    with theirs:
        socket.send_fds(_server(), [json.dumps(asked).encode()], [theirs.fileno(), out, err])
    return ours


@functools.cache
def _server() -> socket.socket:
    """The other end of the process that is forked, which ends with this one."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
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
    """Begin what is asked for, until nobody can ask any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    while True:
        request, handles, _, _ = socket.recv_fds(server, _LONGEST, 3)
        if not request:
            return None
        if os.fork() == 0:
            server.close()
            return _wait(handles, json.loads(request))
        for handle in handles:
            os.close(handle)


def _wait(handles: list[int], asked: dict[str, object]) -> None:
    """Fork what is asked for, and tell its number and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told, *printed = handles
    child = os.fork()
    if child == 0:
        os.close(told)
        return _become(printed, **asked)  # type: ignore[arg-type]  # as `_begun` has written it
    with socket.socket(fileno=told) as telling, contextlib.suppress(OSError):  # nobody may want to know
        for handle in printed:
            os.close(handle)
        telling.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        telling.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(
    printed: list[int], folder: str, program: str, arguments: list[str], environ: Mapping[str, str]
) -> None:
    """Be the program."""
    os.setsid()
    for stream, handle in enumerate(printed, 1):
        os.dup2(handle, stream)
        os.close(handle)
    # as Python opens them when it starts: what they are decides how they are written to
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # a handle, to the end
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115  # likewise
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.path[0] = folder
    sys.argv = [program, *arguments]
    LuigiConfigParser._instance = None  # the folder may have a luigi.cfg
    _end_with(main if program == "pipeline" else luigi_run, arguments)


def _end_with(program: Callable[[list[str]], object], arguments: list[str]) -> None:
    """Run a program, and end as Python does, but without taking apart all that was imported, which takes as long."""
    try:
        program(arguments)
        ended: object = None
    except SystemExit as exc:
        ended = exc.code
    except BaseException:  # shown as Python shows it
        traceback.print_exc()
        ended = 1
    if isinstance(ended, str):
        sys.stderr.write(f"{ended}\n")
    threading._shutdown()  # type: ignore[attr-defined]  # as Python does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(ended if isinstance(ended, int) else ended is not None)


def _import_evidence() -> None:
    """Import what only the evidence needs, if it is installed."""
    with contextlib.suppress(ImportError):
        import pipeline.evidence.render.svg
        import pipeline.evidence.statistics.models
        import pipeline.evidence.tasks  # noqa: F401


if __name__ == "__main__":
    import rich.progress  # noqa: F401  # what commands import when they run
    from luigi.cmdline import luigi_run
    from luigi.configuration import LuigiConfigParser

    import pipeline.cli.console
    import pipeline.join.materialize
    import pipeline.report.markdown
    import pipeline.tasks.run
    import pipeline.tasks.scheduling  # noqa: F401
    from pipeline.cli.main import main
    from pipeline.records.versions import code_sha256

    _import_evidence()
    code_sha256()  # once, and not again in each run
    gc.freeze()  # or each run, at its end, would copy all that it was given to take it apart
    _serve(socket.socket(fileno=int(sys.argv[1])))
