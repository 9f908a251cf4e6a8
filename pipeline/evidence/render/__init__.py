"""Audit and impact as Markdown, and both as one page.

::

    audit_markdown, impact_markdown
    page ──▶ chapters ──▶ figures ──▶ svg
    numbers    how numbers are spelled everywhere
"""

__all__ = [
    "audit_markdown",
    "chapters",
    "figures",
    "impact_markdown",
    "numbers",
    "page",
    "svg",
]
