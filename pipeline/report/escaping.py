r"""Text for Markdown: a backslash before each character that Markdown would read as a sign, and before no other.

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
      \\(?=[!-/:-@[-`{-~]|\ ?$)             # a backslash would escape the next character
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
"""Signs that Markdown reads by themselves."""

_PAIRED = re.compile(r"\*+|_+|~+|`+")
"""Signs that Markdown reads in pairs: *emphasis*, ~strikethrough~, `code`."""

_PUNCTUATION = frozenset(string.punctuation) - {"~"}

_OPENING = re.compile(
    r"""
      \d{1,9}(?=[.)](?:\ |$))               # the number of a list
    | (?=[-+*](?:\ |$) | \#{1,6}(?:\ |$) | [<>\[] | [`~]{3} | ([-_*])(?:\ *\1){2,}\ *$ | [*\ ]+$)
    """,
    re.VERBOSE,
)
"""Ends before a sign at the start of a block: of a list, heading, quotation, definition, code, or a horizontal rule."""


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
    """The positions of signs that Markdown reads in every kind of block."""
    return {found.start() for found in _SINGLE.finditer(text)} | set(_paired(text))


def _paired(text: str) -> Iterator[int]:
    """The positions of signs that may form a pair: one that opens it, and a later one that closes it."""
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
    """True if a run of the sign between these two characters may open or close a pair; an end of the text is empty.

    Readers differ on which characters beyond ASCII are punctuation, and GitHub's ignores a tilde. So a character that is
    neither a letter nor a digit counts as punctuation or not, whichever allows the pair.
    """
    if sign == "`":
        return True
    if sign == "_" and outside.isalnum() and inside.isalnum():
        return False
    return inside not in ("", " ") and (inside not in _PUNCTUATION or not outside.isalnum())
