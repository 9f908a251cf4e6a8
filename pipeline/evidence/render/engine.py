"""The template engine that writes the page and the Markdown, with the filters that both use."""

from __future__ import annotations

from collections.abc import Callable

import jinja2

from pipeline.evidence.render import numbers


def environment(finalize: Callable[[object], object]) -> jinja2.Environment:
    """An environment for the templates beside this module.

    :param finalize: turns the value of each expression into what the document shows.
    """
    created = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.evidence.render"),
        autoescape=True,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    created.filters |= {
        "change": numbers.change,
        "fixed": numbers.fixed,
        "interval": numbers.interval,
        "measured": numbers.measured,
        "number": numbers.number,
        "plural": numbers.plural,
        "share": numbers.share,
        "signed": numbers.signed,
        "signed_interval": numbers.signed_interval,
        "title_of": lambda family, titles: titles.get(family, family),
    }
    return created
