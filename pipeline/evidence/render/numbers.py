"""Numbers as people read them: few digits, a real minus sign, a dash for None."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.evidence.documents import Interval

NONE = "\N{EN DASH}"
_MAX_FIXED = 10_000  # larger figures have an exponent


def number(value: float | None, digits: int = 4) -> str:
    """`value` with `digits` significant digits; a count in full, in groups of three."""
    if value is None:
        return NONE
    if isinstance(value, int):
        return _minus(f"{value:,}")
    return _minus(f"{value:.{digits}g}")


def fixed(value: float | None, digits: int = 3) -> str:
    """A correlation or another figure of merit, with `digits` after the point."""
    if value is None:
        return NONE
    if abs(value) >= _MAX_FIXED:
        return _minus(f"{value:.3g}")
    return _minus(f"{round(value, digits) + 0.0:.{digits}f}")  # adding 0.0 turns -0.0 into 0.0


def signed(value: float | None) -> str:
    """A change, with its sign and three digits after the point."""
    text = fixed(value)
    return f"+{text}" if value is not None and round(value, 3) > 0 else text


def share(value: float | None) -> str:
    """A share in percent; 100 % and 0 % mean exactly all and none."""
    if value is None:
        return NONE
    percent = 100 * value
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %" if percent % 100 else f"{percent:.0f} %"


def interval(ends: Interval | None) -> str:
    """Both ends of an interval, or nothing if they are not defined."""
    return _bracketed(ends, fixed)


def signed_interval(ends: Interval | None) -> str:
    """Both ends of the interval of a change, or nothing if they are not defined."""
    return _bracketed(ends, signed)


def measured(value: float | None, ends: Interval | None) -> str:
    """A figure of merit and its interval: `0.861 [0.788, 0.916]`."""
    return f"{fixed(value)} {interval(ends)}".rstrip()


def change(value: float | None, ends: Interval | None) -> str:
    """A change and its interval: `+0.150 [+0.109, +0.174]`."""
    return f"{signed(value)} {signed_interval(ends)}".rstrip()


def plural(number_of: int, noun: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number_of:,} {noun}" if number_of == 1 else f"{number_of:,} {noun}s"


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _bracketed(ends: Interval | None, spelled: Callable[[float], str]) -> str:
    defined = [end for end in ends or () if end is not None]
    return f"[{', '.join(map(spelled, defined))}]" if len(defined) == 2 else ""
