"""How fast a frames-shaped sidecar is read, against `orjson.loads` line by line over the same bytes, in turn.

python -m benchmarks.frames [--clips 20000] [--frames 300] [--runs 5] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread

OURS, LEAST = "read_sidecar", "orjson"


def main() -> None:
    """Make the sidecar if it is not there, read it in both ways, print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=20_000)
    parser.add_argument("--frames", type=int, default=300, help="of each clip")
    parser.add_argument("--runs", type=int, default=5)
    add_folder(parser)
    given = parser.parse_args()
    with data_folder(given.folder) as folder:
        path = sidecar(folder, given.clips, given.frames)
        ways = {way: partial(spent, module("benchmarks.reading", way, path), folder) for way in (OURS, LEAST)}
        megabytes = path.stat().st_size / 1e6
        print(f"{given.clips:,} clips of {given.frames} frames, {megabytes:.0f} MB, {given.runs} runs")
        print("\n".join(figures(alternating(ways, given.runs), megabytes)))


def sidecar(folder: Path, clips: int, frames: int) -> Path:
    """The sidecar of this size in the folder; made if it is not there."""
    path = folder / f"frames-{clips}x{frames}.jsonl"
    if not path.exists():
        making = path.with_suffix(".making")
        spent(module("benchmarks.framing", making, clips, frames), folder)
        making.rename(path)
    return path


def figures(rounds: list[dict[str, Cost]], megabytes: float) -> list[str]:
    """A Markdown table: the speed is over that of orjson in the same round, with its median and range."""
    lines = ["| reader | s | MB/s | speed over orjson's | peak MB |", "|---|---|---|---|---|"]
    for way in (OURS, LEAST):
        seconds = [float(each[way].said) for each in rounds]
        speeds = [megabytes / each for each in seconds]
        over = [float(each[LEAST].said) / float(each[way].said) for each in rounds]
        peak = median([each[way] for each in rounds]).peak
        lines.append(f"| {way} | {spread(seconds)} | {spread(speeds)} | {spread(over)} | {peak:.0f} |")
    return lines


if __name__ == "__main__":
    main()
