"""The figures of the page, drawn from the audit and the impact of one table, each with a description in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ..documents import Correlations, Delta, DisagreementRow, Histogram, LearningCurve, Scatter
from ..impact import protocol
from ..impact.protocol import BASE, WITH_SCORES
from ..table import MAX_MAGNITUDE
from .arms import arm_title, beside_control
from .numbers import fixed, interval, number, plural, signed
from .svg import CHARACTER, CONTROL, FONT_SIZE, INK, SERIES, Canvas, cut, styled

MAX_WITH_NUMBERS = 12
"""Maximum number of columns of a heat map that shows its numbers."""

_SMALL = FONT_SIZE - 1
_COOL, _WARM = (0x1F, 0x77, 0xD4), (0xD9, 0x6C, 0x0B)
_STRONGEST = 0.7  # opacity of a correlation of 1; text on it stays legible, light or dark


@dataclass(frozen=True)
class Drawing:
    """A figure: its SVG, its title, and a short title for use among similar figures."""

    name: str
    svg: Markup
    title: str
    short: str


@styled
def scatter(points: Scatter, marked: Sequence[DisagreementRow], target: str, name: str) -> Drawing | None:
    """Score (across) against label (up), the fitted curve and rings around `marked`; None if nothing can be drawn."""
    x, y = np.asarray(points["x"], float), np.asarray(points["y"], float)
    curve = points["curve"]
    lines = [x, y] if curve is None else [x, y, np.asarray(curve["x"], float), np.asarray(curve["y"], float)]
    if not _drawable(*lines):
        return None
    canvas = Canvas(320, 250)
    axes = canvas.axes(left=48, top=26, right=10, bottom=40)
    canvas.dots(axes, x.tolist(), y.tolist(), colour=SERIES, size=4)
    if curve is not None:
        axes.plot(curve["x"], curve["y"], color=CONTROL, linewidth=2.5)
    rings = np.array([row["values"] for row in marked], float).reshape(-1, 2)
    if rings.size and _drawable(*rings.T):
        canvas.rings(axes, rings[:, 0].tolist(), rings[:, 1].tolist(), colour=INK, size=9)
    canvas.text(0, 14, cut(target, 300), fontsize=_SMALL)
    canvas.text(310, 244, cut(points["column"], 300), fontsize=_SMALL, ha="right")
    said = [
        f"{plural(len(x), 'point')}, each a row of the table.",
        _range(points["column"], x),
        _range(target, y),
    ]
    if curve is not None and curve["x"]:
        said.append(
            f"The fitted curve goes from {number(curve['y'][0])} at a score of {number(curve['x'][0])} "
            f"to {number(curve['y'][-1])} at {number(curve['x'][-1])}."
        )
    if marked:
        said.append(f"{plural(len(marked), 'ring')} where score and label differ most.")
    title = f"{points['label']}: score against {target}"
    return Drawing(name, canvas.inline(name, title, " ".join(said)), title, points["label"])


@styled
def old_and_new(points: Sequence[tuple[float, float]], label: str, name: str) -> Drawing | None:
    """Old score (across) against new score (up), with the line of equal scores; None if nothing can be drawn."""
    old, new = np.asarray(points, float).reshape(-1, 2).T
    if not old.size or not _drawable(old, new):
        return None
    canvas = Canvas(320, 250)
    axes = canvas.axes(left=48, top=26, right=10, bottom=40)
    canvas.dots(axes, old.tolist(), new.tolist(), colour=SERIES, size=4)
    ends = [float(min(old.min(), new.min())), float(max(old.max(), new.max()))]
    axes.plot(ends, ends, color=CONTROL, linewidth=1.5)
    canvas.text(0, 14, "new score", fontsize=_SMALL)
    canvas.text(310, 244, "old score", fontsize=_SMALL, ha="right")
    said = [f"{plural(old.size, 'point')}, each a row of both tables.", _range("Old scores", old)]
    said += [_range("New scores", new), "On the line both are equal."]
    title = f"{label}: new score against old score"
    return Drawing(name, canvas.inline(name, title, " ".join(said)), title, label)


@styled
def histogram(bins: Histogram, name: str) -> Drawing | None:
    """The number of rows with a score in each bin; None if nothing can be drawn."""
    edges, counts = np.asarray(bins["edges"], float), bins["counts"]
    if not counts or not _drawable(edges):
        return None
    canvas = Canvas(320, 190)
    axes = canvas.axes(left=48, top=26, right=10, bottom=40)
    axes.grid(visible=False, axis="x")
    axes.stairs(counts, edges, fill=True, color=SERIES, alpha=0.75, linewidth=0)
    axes.set_ylim(0, max(*counts, 1) * 1.05)
    canvas.text(0, 14, "rows", fontsize=_SMALL)
    canvas.text(310, 184, cut(bins["column"], 300), fontsize=_SMALL, ha="right")
    most = int(np.argmax(counts))
    description = (
        f"{plural(sum(counts), 'score')} in {plural(len(counts), 'bin')} from {number(bins['edges'][0])} to "
        f"{number(bins['edges'][-1])}; the fullest, from {number(bins['edges'][most])} to "
        f"{number(bins['edges'][most + 1])}, holds {number(counts[most])}."
    )
    title = f"{bins['label']}: distribution of scores"
    return Drawing(name, canvas.inline(name, title, description), title, bins["label"])


@styled
def heat_map(correlations: Correlations, name: str) -> Drawing | None:
    """Every column against every other, numbered in the same order; None if there are fewer than two columns."""
    columns = correlations["columns"]
    size = len(columns)
    if size < 2:
        return None
    values = np.array(
        [[np.nan if each is None else each for each in row] for row in correlations["spearman"]], float
    )
    cell = 42.0 if size <= MAX_WITH_NUMBERS else 17.0
    labels = [f"{cut(column, 290)}\N{EN SPACE}{at}" for at, column in enumerate(columns, 1)]
    left = max(map(len, labels)) * CHARACTER * _SMALL / FONT_SIZE + 8
    canvas = Canvas(left + size * cell + 8, size * cell + 70)
    axes = canvas.axes(left=left, top=22, right=8, bottom=48)
    axes.grid(visible=False)
    axes.imshow(_tints(values), interpolation="none", aspect="auto")
    axes.spines[:].set_visible(False)
    axes.set_yticks(range(size), labels, fontsize=_SMALL, parse_math=False)
    axes.xaxis.tick_top()
    axes.set_xticks(range(size), [str(at) for at in range(1, size + 1)], fontsize=_SMALL)
    for row, column in np.argwhere(np.isnan(values)):
        axes.text(
            column,
            row,
            "\N{MULTIPLICATION SIGN}",
            color=INK,
            ha="center",
            va="center_baseline",
            fontsize=_SMALL,
        )
    if size <= MAX_WITH_NUMBERS:
        for row, column in np.argwhere(~np.isnan(values)):
            axes.text(
                column, row, fixed(float(values[row, column]), 2),
                ha="center", va="center_baseline", fontsize=_SMALL,
            )  # fmt: skip
    _legend(canvas)
    title = f"Correlations between {plural(size, 'column')}"
    return Drawing(name, canvas.inline(name, title, _strongest_pair(columns, values)), title, title)


@styled
def forest(deltas: Sequence[Delta], rows: str, name: str, room: float | None = None) -> Drawing | None:
    """Each arm's change of SRCC against base with its interval, the control second; None if nothing was measured.

    :param rows: a description of the rows that were measured.
    :param room: the change with which base would reach the ceiling of the labels, drawn as a line; None: not known.
    """
    measured = [delta for delta in beside_control(deltas) if delta["srcc"] is not None]
    if not measured:
        return None
    row, top, bottom = 46, 14, 44
    canvas = Canvas(400, top + row * len(measured) + bottom)
    axes = canvas.axes(left=12, top=top, right=12, bottom=bottom)
    axes.set_ylim(row * len(measured), 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    for at, delta in enumerate(measured):
        is_control, change = delta["name"] == protocol.CONTROL, np.array([delta["srcc"]], float)
        colour, height = CONTROL if is_control else SERIES, row * at + 31
        axes.plot([0, 0], [height - 11, height + 11], color=INK, linewidth=1.25)
        if room is not None:
            axes.plot([room, room], [height - 11, height + 11], color=INK, linewidth=1.25, linestyle="--")
        ends = delta["intervals"].get("srcc", [])
        if len(ends) == 2 and None not in ends:
            axes.plot(
                np.array(ends, float), [height, height], color=colour, linewidth=2.5, solid_capstyle="butt"
            )
        axes.plot(change, [height], color=colour, marker="D" if is_control else "o", markersize=8)
        words = _change(delta)
        canvas.text(0, top + row * at + 16, cut(arm_title(delta["name"]), 392 - len(words) * CHARACTER))
        canvas.text(400, top + row * at + 16, words, ha="right")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -0.01), max(high, 0.01))
    canvas.text(200, canvas.height - 6, "change of SRCC against base", ha="center", fontsize=_SMALL)
    title = f"What the scores are worth, on {rows}"
    said = "; ".join(f"{arm_title(each['name'])} {_change(each)}" for each in measured)
    said += "." if room is None else f". The broken line is the ceiling of the labels, at {signed(room)}."
    return Drawing(name, canvas.inline(name, title, said), title, f"On {rows}")


@styled
def learning(curve: LearningCurve, name: str) -> Drawing | None:
    """SRCC (up) over labelled contents (across, doubling), with the scores and without; None with fewer than two sizes."""
    points = [point for point in curve["points"] if None not in (point["base"], point["with_scores"])]
    if len(points) < 2:
        return None
    canvas = Canvas(400, 230)
    axes = canvas.axes(left=48, top=44, right=16, bottom=40)
    sizes = [point["contents"] for point in points]
    lines = {
        WITH_SCORES: [point["with_scores"] for point in points],
        BASE: [point["base"] for point in points],
    }
    for (arm, values), colour, marker in zip(lines.items(), (SERIES, CONTROL), "oD", strict=True):
        axes.plot(np.log2(sizes), np.array(values, float), color=colour, linewidth=2.5, marker=marker)
        canvas.text(8 if arm == WITH_SCORES else 200, 30, f"{'●◆'['oD'.index(marker)]} {arm}", color=colour)
    axes.set_xticks(np.log2(sizes), [number(size) for size in sizes])
    canvas.text(0, 12, "SRCC", fontsize=_SMALL)
    canvas.text(390, 224, "labelled contents", fontsize=_SMALL, ha="right")
    said = "; ".join(
        f"{plural(point['contents'], 'content')}: {fixed(point['base'])} without the scores, "
        f"{fixed(point['with_scores'])} with them"
        for point in points
    )
    title = "SRCC over the number of labelled contents"
    return Drawing(name, canvas.inline(name, title, f"{said}."), title, title)


def _change(delta: Delta) -> str:
    """The change of SRCC in words; the ends of its interval are spelled without a plus sign."""
    return f"{signed(delta['srcc'])} {interval(delta['intervals'].get('srcc'))}".rstrip()


def _drawable(*lines: NDArray[np.float64]) -> bool:
    return all(len(line) and bool(np.all(np.abs(line) < MAX_MAGNITUDE)) for line in lines)


def _range(what: str, values: NDArray[np.float64]) -> str:
    return f"{what} from {number(float(values.min()))} to {number(float(values.max()))}."


def _tints(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """RGBA of correlations: the sign decides the hue, the strength the opacity. A correlation of 0 is transparent."""
    tints = np.zeros((*values.shape, 4), np.uint8)
    tints[..., :3] = np.where((values < 0)[..., None], _WARM, _COOL)
    tints[..., 3] = np.rint(255 * _STRONGEST * np.abs(np.nan_to_num(values)).clip(0, 1))
    return tints


def _legend(canvas: Canvas) -> None:
    """A scale of tints at the bottom left."""
    axes = canvas.axes(left=30, top=canvas.height - 26, right=canvas.width - 190, bottom=14)
    axes.imshow(_tints(np.linspace(-1, 1, 41)[None]), interpolation="none", aspect="auto")
    axes.set_axis_off()
    canvas.text(25, canvas.height - 16, "\N{MINUS SIGN}1", ha="right", fontsize=_SMALL)
    canvas.text(195, canvas.height - 16, "1", fontsize=_SMALL)


def _strongest_pair(columns: Sequence[str], values: NDArray[np.float64]) -> str:
    """The pair with the strongest correlation, in words."""
    apart = np.triu(np.abs(np.nan_to_num(values)), 1)
    row, column = divmod(int(np.argmax(apart)), len(columns))
    value = values[row, column]
    spelled = fixed(None if np.isnan(value) else float(value))
    return f"Spearman's correlations. The strongest pair is {columns[row]} and {columns[column]}: {spelled}."
