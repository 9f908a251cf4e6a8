"""What a luigid costs: small tables made by two of its workers, against two processes of the local scheduler.

::

    python -m benchmarks.luigid_overhead [--tables 200] [--runs 3]
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path

from tests.support.builders import small_batch, write_manifest
from tests.support.processes import COMMAND, luigid, running


def batch(folder: Path, count: int) -> Path:
    """A batch of `count` small tables, of which nothing is made."""
    small_batch(folder, rows=100)
    tables = [
        {
            "id": f"t{number}",
            "features": "features.jsonl",
            "scores": ["dover=dover.jsonl"],
            "out": f"out/t{number}.jsonl",
        }
        for number in range(count)
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


def best(place: Path, tables: int, runs: int, commands: tuple[tuple[str, ...], ...]) -> float:
    """The least seconds of some runs, each of a batch of its own."""
    return min(timed(batch(place / str(number), tables), *commands) for number in range(runs))


def main() -> None:
    """Measure each way, and print what it costs beside the local scheduler."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, luigid(Path(name) / "luigid") as server:
        central = ("--scheduler", server.url)
        two = ("--workers", "2")
        ways = {
            "local scheduler, two processes": (two,),
            "luigid, a worker of two processes": ((*central, *two),),
            "luigid, two workers of one process": (central, central),
        }
        sys.stdout.write(f"{given.tables} tables, best of {given.runs} runs\n")
        local = 0.0
        for number, (way, commands) in enumerate(ways.items()):
            seconds = best(Path(name) / str(number), given.tables, given.runs, commands)
            local = local or seconds
            added = (seconds - local) / given.tables * 1000
            sys.stdout.write(f"{way:35}{seconds:6.2f} s  {seconds / local:.2f}  {added:+.1f} ms per table\n")


if __name__ == "__main__":
    main()
