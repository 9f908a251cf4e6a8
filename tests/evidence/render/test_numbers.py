"""Numbers as the page and the Markdown show them."""

from __future__ import annotations

import pytest

from pipeline.evidence.render import numbers as numerals
from pipeline.evidence.render.numbers import NONE

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (numerals.number(1234567), "1,234,567"),
        (numerals.number(0.000123456), "0.0001235"),
        (numerals.number(None), NONE),
        (numerals.fixed(-0.00001), "0.000"),
        (numerals.fixed(-0.5), f"{MINUS}0.500"),
        (numerals.fixed(1e12), "1e+12"),
        (numerals.signed(0.0004), "0.000"),
        (numerals.signed(0.1), "+0.100"),
        (numerals.signed(-0.1), f"{MINUS}0.100"),
        (numerals.signed(None), NONE),
        (numerals.share(1.0), "100 %"),
        (numerals.share(0.0), "0 %"),
        (numerals.share(0.99999), "> 99.9 %"),
        (numerals.share(0.00001), "< 0.1 %"),
        (numerals.share(0.5), "50.0 %"),
        (numerals.interval([-0.1, 0.2]), f"[{MINUS}0.100, 0.200]"),
        (numerals.interval([None, 0.2]), ""),
        (numerals.interval(None), ""),
        (numerals.plural(1, "row"), "1 row"),
        (numerals.plural(1200, "row"), "1,200 rows"),
    ],
)
def test_numbers_read_well(shown: str, text: str) -> None:
    """Few digits, groups of three, a minus sign; all and none are said of all and none alone."""
    assert shown == text
