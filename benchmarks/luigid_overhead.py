"""What a luigid costs: 200 small tables by two of its workers, against two processes of the local scheduler.

::

    python -m benchmarks.luigid_overhead
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

from tests.builders import small_batch, write_manifest
from tests.processes import COMMAND, luigid, running

TABLES = 200
RUNS = 3


def batch(folder: Path) -> Path:
    """A batch of small tables, of which nothing is made."""
    small_batch(folder, rows=100)
    tables = [
        {
            "id": f"t{number}",
            "features": "features.jsonl",
            "scores": ["dover=dover.jsonl"],
            "out": f"out/t{number}.jsonl",
        }
        for number in range(TABLES)
    ]
    write_manifest(folder / "m.json", tables)
    return folder


def timed(folder: Path, *commands: tuple[str, ...]) -> float:
    """Seconds until all the commands, which run beside each other, have made the batch."""
    with contextlib.ExitStack() as stack:
        began = time.perf_counter()
        runs = [
            stack.enter_context(running(folder, *COMMAND, "run", "m.json", *command)) for command in commands
        ]
        failed = [ended.stderr for ended in [run.end() for run in runs] if ended.returncode != 0]
        seconds = time.perf_counter() - began
    if failed:
        raise SystemExit("\n".join(failed))
    return seconds


def best(place: Path, commands: tuple[tuple[str, ...], ...]) -> float:
    """The least seconds of some runs, each of a batch of its own."""
    return min(timed(batch(place / str(number)), *commands) for number in range(RUNS))


def main() -> None:
    """Measure each way, and print what it costs beside the local scheduler."""
    with tempfile.TemporaryDirectory() as name, luigid(Path(name) / "luigid") as server:
        central = ("--scheduler", server.url)
        two = ("--workers", "2")
        ways = {
            "local scheduler, two processes": (two,),
            "luigid, a worker of two processes": ((*central, *two),),
            "luigid, two workers of one process": (central, central),
        }
        sys.stdout.write(f"{TABLES} tables, best of {RUNS} runs\n")
        local = 0.0
        for number, (way, commands) in enumerate(ways.items()):
            seconds = best(Path(name) / str(number), commands)
            local = local or seconds
            added = (seconds - local) / TABLES * 1000
            sys.stdout.write(f"{way:35}{seconds:6.2f} s  {seconds / local:.2f}  {added:+.1f} ms per table\n")


if __name__ == "__main__":
    main()
