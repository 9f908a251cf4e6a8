"""Markdown by template: what the template writes is markup, what its expressions show is text.

The engine renders each value between two marks. Once a line is complete, the characters between marks that Markdown would
read as signs are escaped. This waits for the whole line because two of its values may hold one asterisk each of `*a*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from markupsafe import Markup

from pipeline.errors import one_line
from pipeline.evidence.render.engine import environment
from pipeline.records.provenance import RunProvenance
from pipeline.report.escaping import block_escapes, cell_escapes, heading_escapes
from pipeline.report.markdown import provenance_lines

_BEGIN, _END = "\x02", "\x03"
"""The marks around a value, whose own control characters `one_line` replaces."""
_ENDS = re.compile(rf"^[{_BEGIN}{_END} ]+|[{_BEGIN}{_END} ]+$")
_BAR = re.compile(rf"\|(?=[^{_BEGIN}{_END}]*(?:{_BEGIN}|$))")
"""A bar that the template wrote: the next mark behind it is not the end of a value."""
_HEADING_OR_ITEM = re.compile(r"#+ |\* ")


def render_markdown(template: str, provenance: RunProvenance, **values: object) -> bytes:
    """A document as GitHub-flavoured Markdown (UTF-8).

    :param template: the name of a file in `templates/`.
    :param provenance: the last section of the document.
    :param values: what the template shows; each text is escaped.
    """
    engine = environment(_marked)
    engine.filters["single_spaced"] = lambda text: " ".join(text.split())
    body = engine.get_template(template).render(values)
    return "\n".join([*map(_escaped_line, body.splitlines()), *provenance_lines(provenance)]).encode("utf-8")


def _marked(value: object) -> Markup:
    """What an expression of a template shows, between marks; nothing for None."""
    if isinstance(value, Markup):  # what a macro returns; its values are marked already
        return value
    text = "" if value is None else one_line(str(value))
    return Markup(f"{_BEGIN}{text}{_END}")  # noqa: S704  # escaped once the line is complete


def _escaped_line(line: str) -> str:
    """A line of the document. Its kind follows from the markup that it begins with."""
    if line.startswith("|"):
        cells = (_escaped(cell.strip(" "), cell_escapes) for cell in _BAR.split(line)[1:-1])
        return f"| {' | '.join(cells)} |"
    marker = _HEADING_OR_ITEM.match(line)
    start = marker.end() if marker else 0
    text = _ENDS.sub(lambda end: end[0].replace(" ", ""), line[start:])
    return line[:start] + _escaped(text, heading_escapes if line.startswith("#") else block_escapes)


def _escaped(marked: str, escapes: Callable[[str], Mapping[int, str]]) -> str:
    """`marked` without its marks, and with the escapes that lie between them."""
    inside, characters = False, []
    for each in marked:
        if each in (_BEGIN, _END):
            inside = each == _BEGIN
        else:
            characters.append((each, inside))
    found = escapes("".join(each for each, _ in characters))
    return "".join(
        found.get(at, each) if of_value else each for at, (each, of_value) in enumerate(characters)
    )
