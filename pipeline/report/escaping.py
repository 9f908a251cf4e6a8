r"""Text that Markdown shows as it is: a backslash before each sign that Markdown would read, and before no other.

The signs are those of GitHub-flavoured Markdown, https://github.github.com/gfm/, and of markdown-it with linkify.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterable, Iterator, Mapping

from pipeline.errors import one_line

_SINGLE = re.compile(
    r"""
      \\(?=[!-/:-@[-`{-~]|\ ?$)             # what is behind it would be escaped
    | &(?=\#?[A-Za-z0-9]+;)                 # &amp;
    | <(?=[A-Za-z/!?].*>)                   # <b>, <!-- -->, <http://...>
    | \](?=\()                              # [text](address)
    | (?:(?<=http)|(?<=https)|(?<=ftp)):(?=//)
    | (?<![A-Za-z0-9:/])/(?=/\S)            # //host
    | (?<=www)\.
    | (?<=\S)@(?=\S*\.)                     # someone@example.org
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Signs that are read alone."""

_PAIRED = re.compile(r"\*+|_+|~+|`+")
"""Signs that are read if there are two of them: *emphasis*, ~gone~, `code`."""

_PUNCTUATION = frozenset(string.punctuation) - {"~"}

_OPENING = re.compile(
    r"""
      \d{1,9}(?=[.)](?:\ |$))               # the number of a list
    | (?=[-+*](?:\ |$) | \#{1,6}(?:\ |$) | [<>\[] | [`~]{3} | ([-_*])(?:\ *\1){2,}\ *$ | [*\ ]+$)
    """,
    re.VERBOSE,
)
"""What stands before a sign that would begin a list, a heading, a quotation, a definition, code, or be a line across."""


def escaped(text: str) -> str:
    """`text`, without blanks at its ends, as a whole line, or as its end after markup and plain words."""
    text = _visible(text)
    return _written(text, _backslashes(text, _signs(text)))


def escaped_block(text: str) -> str:
    """`text`, without blanks at its ends, as a paragraph or an item of a list."""
    text = _visible(text)
    return _written(text, block_escapes(text))


def escaped_heading(text: str) -> str:
    """`text`, without blanks at its ends, as a heading."""
    text = _visible(text)
    return _written(text, heading_escapes(text))


def escaped_cell(text: str) -> str:
    """`text` as a cell of a table, blanks at its ends included."""
    text = one_line(text)
    return _written(text, cell_escapes(text))


def block_escapes(text: str) -> dict[int, str]:
    """What to write for characters of a paragraph or of an item of a list, by their positions."""
    opening = _OPENING.match(text)
    return _backslashes(text, _signs(text) | ({opening.end()} if opening else set()))


def heading_escapes(text: str) -> dict[int, str]:
    """What to write for characters of a heading, by their positions. Markdown removes number signs at its end."""
    return _backslashes(text, _signs(text) | ({len(text) - 1} if text.endswith("#") else set()))


def cell_escapes(text: str) -> dict[int, str]:
    """What to write for characters of a cell, by their positions. Markdown removes blanks at its ends, but no entity."""
    bars = {at for at, each in enumerate(text) if each == "|"}
    blanks = {at: "&#32;" for at in (0, len(text) - 1) if text[at : at + 1] == " "}
    return _backslashes(text, _signs(text) | bars) | blanks


def _visible(text: str) -> str:
    return one_line(text).strip(" ")


def _written(text: str, escapes: Mapping[int, str]) -> str:
    return "".join(escapes.get(at, each) for at, each in enumerate(text))


def _backslashes(text: str, signs: Iterable[int]) -> dict[int, str]:
    """The character at each position in `signs`, with a backslash before it; none is behind the end of `text`."""
    return {at: f"\\{text[at]}" for at in signs if at < len(text)}


def _signs(text: str) -> set[int]:
    """Where Markdown would read a sign, whatever the kind of the block."""
    return {found.start() for found in _SINGLE.finditer(text)} | set(_paired(text))


def _paired(text: str) -> Iterator[int]:
    """Where a sign is that may be one of a pair: one that opens, and behind it one that closes."""
    for sign in "*_~`":
        runs = [run for run in _PAIRED.finditer(text) if run[0][0] == sign]
        opening = [
            run.start() for run in runs if _may_open(text[: run.start()][-1:], sign, text[run.end() :][:1])
        ]
        closing = [
            run.start() for run in runs if _may_open(text[run.end() :][:1], sign, text[: run.start()][-1:])
        ]
        if opening and closing and opening[0] < closing[-1]:
            yield from itertools.chain.from_iterable(range(*run.span()) for run in runs)


def _may_open(outside: str, sign: str, inside: str) -> bool:
    """Whether a run of the sign between these two characters, empty at an end of the text, may open or close a pair.

    What is neither a letter nor a digit is taken for punctuation or not, whichever lets it: readers differ in that for
    signs beyond ASCII, and GitHub's looks through a tilde.
    """
    if sign == "`":
        return True
    if sign == "_" and outside.isalnum() and inside.isalnum():
        return False
    return inside not in ("", " ") and (inside not in _PUNCTUATION or not outside.isalnum())
