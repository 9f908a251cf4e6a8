"""Costs at growing sizes -> a Markdown table of what each unit costs, and of what it should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measuring import Cost

SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
MEGABYTES = {"MB": 1.0, "KB": 1e-3, "bytes": 1e-6}


@dataclass(frozen=True)
class Growing:
    """What grows, and how its costs are measured.

    Attributes:
        unit: one of what grows.
        time: the unit of its time, of `SECONDS`.
        memory: the unit of its memory, of `MEGABYTES`.
        flat: whether memory should not grow at all; else at most in line. Time should grow in line.
    """

    unit: str
    time: str
    memory: str
    flat: bool = False


def growth(grown: Growing, sizes: Sequence[int], costs: Sequence[Cost]) -> list[str]:
    """The table: behind each size what one unit takes, and what one more takes than at the size above.

    What one more should take is what it took at the first step.
    """
    wall = _added(sizes, [cost.wall / SECONDS[grown.time] for cost in costs])
    peak = _added(sizes, [cost.peak / MEGABYTES[grown.memory] for cost in costs])
    lines = [
        f"| {grown.unit}s | wall s | {grown.time} per {grown.unit} | per added {grown.unit} | should "
        f"| peak MB | {grown.memory} per {grown.unit} | per added {grown.unit} | should |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for index, (size, cost) in enumerate(zip(sizes, costs, strict=True)):
        each = (cost.wall / SECONDS[grown.time] / size, cost.peak / MEGABYTES[grown.memory] / size)
        memory_should = "0" if grown.flat and index else _first(peak, index, "at most ")
        lines.append(
            f"| {size:,} | {cost.wall:.2f} | {figure(each[0])} | {wall[index]} | {_first(wall, index)} "
            f"| {cost.peak:.0f} | {figure(each[1])} | {peak[index]} | {memory_should} |"
        )
    return lines


def figure(value: float) -> str:
    """A number with three digits that say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _added(sizes: Sequence[int], values: Sequence[float]) -> list[str]:
    """What one more takes at each step; nothing is known of the first size."""
    slopes = [
        (values[index] - values[index - 1]) / (sizes[index] - sizes[index - 1])
        for index in range(1, len(sizes))
    ]
    return ["", *map(figure, slopes)]


def _first(added: Sequence[str], index: int, least: str = "") -> str:
    return f"{least}{added[1]}" if index > 1 else ""
