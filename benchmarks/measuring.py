"""What a command costs as a whole process: wall time, CPU time, peak memory."""

from __future__ import annotations

import functools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

Name = TypeVar("Name", bound=Hashable)

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cost:
    """What one process took from its start to its end.

    Attributes:
        wall: seconds on the clock.
        cpu: seconds of all its threads and of the processes it waited for, user and system.
        peak: most resident memory of one of its processes, MB (10^6 bytes).
        said: what it printed.
    """

    wall: float
    cpu: float
    peak: float
    said: str


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module with this Python."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def spent(command: Sequence[str], folder: Path, memory_limit: float | None = None) -> Cost:
    """Run a command in `folder`, and tell what it cost.

    Linux counts the memory of the process that starts another one as the other's: who measures must be small,
    so this package imports pyarrow and numpy in processes of their own alone.

    :param memory_limit: MB of address space that the process may have; None: as much as it likes. Address space
        is what any user may limit, and the strictest count there is: memory that is reserved and never touched
        belongs to it, and so do the libraries.
    :raises SystemExit: the command failed; with what it said.
    """
    os.sync()  # nobody waits for what another one has written
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(),
            stdout=out,
            stderr=err,
            preexec_fn=_limiting(memory_limit),
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}\n{_text(err)[-2000:]}")
        return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6, _text(out))


def alternating(contenders: Mapping[Name, Callable[[], Cost]], runs: int) -> list[dict[Name, Cost]]:
    """The costs of every contender, round by round; each round begins with the next one of them."""
    names = list(contenders)
    rounds = []
    for number in range(runs):
        turn = number % len(names)
        rounds.append({name: contenders[name]() for name in names[turn:] + names[:turn]})
    return rounds


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=statistics.median(cost.peak for cost in costs),
        said=costs[-1].said,
    )


def spread(values: Sequence[float]) -> str:
    """The median, and from which value to which they go."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _environment() -> dict[str, str]:
    """The caller's, in which compiled modules are kept: an installed package has them too."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT)}


def _limiting(memory_limit: float | None) -> Callable[[], None] | None:
    if memory_limit is None:
        return None
    most = int(memory_limit * 1e6)
    return functools.partial(resource.setrlimit, resource.RLIMIT_AS, (most, most))


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")
