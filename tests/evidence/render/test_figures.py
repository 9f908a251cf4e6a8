"""The figures of the page: any numbers and any names can be drawn."""

from __future__ import annotations

import base64
import io
import re
from importlib import resources

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.evidence.render import figures
from pipeline.evidence.render.svg import CHARACTER, cut
from pipeline.evidence.table import MAX_MAGNITUDE

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, 1e308, -1e308, 5e-324, 1e9 + 1e-6]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(numbers, numbers), max_size=5), st.booleans())
def test_any_finite_numbers_can_be_drawn_or_are_left_out(
    points: list[tuple[float, float]], curve: bool
) -> None:
    """No score or label, however large, small or lonely, stops a figure; those beyond drawing leave none."""
    x, y = [each for each, _ in points], [each for _, each in points]
    drawn = figures.scatter(
        {"label": "a", "column": "b", "x": x, "y": y, "curve": {"x": x, "y": y} if curve else None},
        [{"key": "c", "values": [a, b], "compared": [a, b], "difference": 1.0} for a, b in points],
        "mos",
        "f",
    )
    assert (drawn is not None) == (bool(points) and max(map(abs, x + y)) < MAX_MAGNITUDE)
    bins = figures.histogram(
        {"label": "a", "column": "b", "edges": [*sorted(x), max([0.0, *x])], "counts": [1] * len(x)}, "h"
    )
    assert (bins is not None) == (bool(points) and max(map(abs, x)) < MAX_MAGNITUDE)
    assert "nan" not in (drawn.svg if drawn else "") + (bins.svg if bins else "")


@given(st.text(max_size=80), st.integers(30, 400))
def test_a_name_that_is_too_wide_is_cut_in_its_middle(name: str, width: int) -> None:
    """What is drawn of a name is no wider than its room, and keeps its start and its end."""
    shown = cut(name, width)
    assert len(shown) * CHARACTER <= max(width, 3 * CHARACTER)
    assert shown.isprintable()
    if "…" in shown and "…" not in name:
        start, end = shown.split("…")
        assert cut(name, 10_000).startswith(start)
        assert cut(name, 10_000).endswith(end)


def test_numbers_on_a_heat_map_stand_out() -> None:
    """The strongest tints, on the page's paper, leave the page's ink a contrast of 4.5 (WCAG 2, AA), light and dark."""
    drawn = figures.heat_map({"columns": ["a", "b"], "spearman": [[1.0, -1.0], [-1.0, 1.0]]}, "m")
    assert drawn is not None
    encoded = re.findall(r"data:image/png;base64,([^\"]+)", drawn.svg)[0]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))
    tints = np.unique(pixels.reshape(-1, 4), axis=0).tolist()
    assert len(tints) == 2
    style = (resources.files("pipeline.evidence.render") / "templates" / "page.css").read_text("utf-8")
    papers, inks = (re.findall(rf"--{name}: (#\w+);", style) for name in ("paper", "ink"))
    assert len(papers) == len(inks) == 3
    for paper, ink in zip(papers, inks, strict=True):
        for *tint, opacity in tints:
            ground = [a + (b - a) * opacity / 255 for a, b in zip(_rgb(paper), tint, strict=True)]
            assert _contrast(ground, _rgb(ink)) >= 4.5


def _rgb(colour: str) -> list[float]:
    return [float(int(colour[at : at + 2], 16)) for at in (1, 3, 5)]


def _contrast(one: list[float], other: list[float]) -> float:
    darker, lighter = sorted(_luminance(each) for each in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: list[float]) -> float:
    parts = [each / 255 for each in rgb]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
