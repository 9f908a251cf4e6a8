"""Audit and impact as Markdown, and both as one page.

::

    audit_markdown, impact_markdown ──▶ markdown ──▶ engine
    page ──▶ chapters ──▶ figures ──▶ svg      └──▶ engine

    engine     the template engine; its templates are in templates/
    arms       names and order of an impact's arms
    numbers    how numbers are spelled everywhere
"""

__all__ = [
    "arms",
    "audit_markdown",
    "chapters",
    "engine",
    "figures",
    "impact_markdown",
    "markdown",
    "numbers",
    "page",
    "svg",
]
