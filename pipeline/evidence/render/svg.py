"""Figures of matplotlib as SVG inside a page, with the page's colours and fonts and a description for screen readers.

This is the only module that imports matplotlib. matplotlib measures text with a font of its own; the SVG keeps the text
as text, which the page shows in its font. Sizes are CSS pixels.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata
import warnings
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from markupsafe import Markup

from ...errors import printable

# It would log messages about its caches; problems with a figure are exceptions or warnings.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

import matplotlib as mpl  # noqa: E402  # after its logger was quieted
from matplotlib.axes import Axes  # noqa: E402  # as above
from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: E402  # as above
from matplotlib.figure import Figure  # noqa: E402  # as above
from matplotlib.patches import PathPatch  # noqa: E402  # as above
from matplotlib.path import Path  # noqa: E402  # as above
from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: E402  # as above

# matplotlib draws with these colours; the page replaces them by its own, light or dark.
INK, FAINT, SERIES, CONTROL = "#010101", "#010102", "#010103", "#010104"
_COLOURS = {INK: "currentColor", FAINT: "var(--line)", SERIES: "var(--series)", CONTROL: "var(--control)"}
_SENTINEL = re.compile("|".join(_COLOURS))
_FAMILY = re.compile(r"font-family: [^;]*;? ?")
_REFERENCE = re.compile(r"#([A-Za-z]\w*)")

_LONG = re.compile(r"-?\d+\.\d+")

FONT_SIZE = 12.0
CHARACTER = 0.6 * FONT_SIZE
"""Upper limit of the width of a character of `FONT_SIZE`, in pixels."""

_STYLE: dict[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "second-opinion",
    "font.family": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.75,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "path.simplify": False,
    "figure.dpi": 72,
    "savefig.dpi": 72,
}

# Settings of the process or of windows, not of a figure.
_PROCESS = {"backend", "backend_fallback", "interactive", "timezone", "toolbar"}
styled = mpl.rc_context(
    {key: value for key, value in mpl.rcParamsDefault.items() if key not in _PROCESS} | _STYLE
)
"""Decorator of functions that draw: it hides the user's own settings of matplotlib."""


class Canvas:
    """One figure, drawn by a `styled` function: axes to draw on, then `inline` for the page.

    :param width: pixels; a page may show the figure smaller.
    :param height: pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._figure = Figure(figsize=(width / 72, height / 72))
        self._figure.patch.set_visible(False)
        FigureCanvasSVG(self._figure)

    def axes(self, left: float, top: float, right: float, bottom: float) -> Axes:
        """Axes with margins of this many pixels at each side."""
        axes = self._figure.add_axes(
            (
                left / self.width,
                bottom / self.height,
                (self.width - left - right) / self.width,
                (self.height - top - bottom) / self.height,
            )
        )
        axes.patch.set_visible(False)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
            axis.set_major_formatter(FuncFormatter(_tick))
        return axes

    def dots(self, axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, size: float) -> None:
        """Draw a dot of `size` pixels at each point. Each is a stroke without length and with round caps: a few bytes."""
        points = np.repeat(np.column_stack((x, y)), 2, axis=0)
        path = Path(points, np.resize([Path.MOVETO, Path.LINETO], len(points)))
        axes.add_artist(
            PathPatch(path, fill=False, edgecolor=colour, alpha=0.6, linewidth=size, capstyle="round")
        )
        axes.update_datalim(points)
        axes.autoscale_view()

    def rings(self, axes: Axes, x: Sequence[float], y: Sequence[float], colour: str, size: float) -> None:
        """Draw a ring of `size` pixels around each point."""
        axes.plot(
            x,
            y,
            linestyle="",
            marker="o",
            markersize=size,
            fillstyle="none",
            color=colour,
            markeredgewidth=1.25,
        )

    def text(self, x: float, y: float, words: str, **looks: Any) -> None:
        """Write words at (x, y), in pixels from the left and from the top."""
        self._figure.text(x / self.width, 1 - y / self.height, _visible(words), **looks)

    def inline(self, name: str, title: str, description: str) -> Markup:
        """The figure as an `svg` element with this title and description.

        :param name: an id that is unique in the page.
        """
        written = io.StringIO()
        with warnings.catch_warnings():
            # matplotlib only measures the text; the reader's fonts may have the character
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            self._figure.savefig(
                written,
                format="svg",
                transparent=True,
                metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
            )
        svg = ET.fromstring(written.getvalue())  # noqa: S314  # matplotlib wrote it just now
        _adapt(svg, name)
        svg.attrib = {
            "id": name,
            "viewBox": svg.attrib["viewBox"],
            "width": f"{self.width:g}",
            "height": f"{self.height:g}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
        }
        for kind, words in (("desc", description), ("title", title)):
            said = ET.Element(kind, id=f"{name}-{kind}")
            said.text = _visible(words)
            svg.insert(0, said)
        return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704  # the XML writer escaped all text


def cut(words: str, width: float) -> str:
    """`words`, shortened in the middle if they are wider than `width` pixels."""
    words = _visible(words)
    most = max(int(width / CHARACTER), 3)
    if _columns(words) <= most:
        return words
    head, tail = words[:most], words[-most:]
    while _columns(head) > (most - 1) // 2:
        head = head[:-1]
    while _columns(tail) > (most - 1) // 2:
        tail = tail[1:]
    return f"{head}…{tail}"


def _columns(words: str) -> int:
    """Its width in characters; East Asian wide characters count twice."""
    return sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in words)


def _visible(words: str) -> str:
    return printable(words).replace("\n", "\\n")


def _tick(value: float, _position: int | None = None) -> str:
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def _short(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _adapt(svg: ET.Element, name: str) -> None:
    """Make the SVG fit into a page: no namespaces, unique ids, no style for other elements, the page's colours."""
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.tag.endswith("}style") or child.tag.endswith("}metadata"):
                parent.remove(child)
    used = {
        found for each in svg.iter() for value in each.attrib.values() for found in _REFERENCE.findall(value)
    }
    for element in svg.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail = None
        if element.tag != "text":
            element.text = None
        element.attrib = {
            key.rpartition("}")[2]: _REFERENCE.sub(rf"#{name}-\1", value)
            if "#" in value and key != "style"
            else value
            for key, value in element.attrib.items()
            if key != "id" or value in used
        }
        if "id" in element.attrib:
            element.attrib["id"] = f"{name}-{element.attrib['id']}"
        if "d" in element.attrib:
            element.attrib["d"] = _LONG.sub(_short, " ".join(element.attrib["d"].split()))
        if "style" in element.attrib:
            coloured = _SENTINEL.sub(lambda found: _COLOURS[found[0]], element.attrib["style"])
            element.attrib["style"] = _FAMILY.sub("", coloured)
