"""The figures of the page: any numbers and any names can be drawn."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evidence import figures
from pipeline.evidence.svg import CHARACTER, cut

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
        "mos",
        "f",
    )
    assert (drawn is not None) == (bool(points) and max(map(abs, x + y)) < figures.TOO_LARGE)
    bins = figures.histogram(
        {"label": "a", "column": "b", "edges": [*sorted(x), max([0.0, *x])], "counts": [1] * len(x)}, "h"
    )
    assert (bins is not None) == (bool(points) and max(map(abs, x)) < figures.TOO_LARGE)
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
