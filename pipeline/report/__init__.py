"""The batch in one document, and whether that document is up to date.

::

    build ──▶ markdown ──▶ escaping   receipts of a batch -> its report, as JSON and as Markdown
      ▲
    freshness ──▶ status      which tables and reports are up to date, and why not
    verification              a report -> every file it names, read again
"""

__all__ = [
    "build",
    "escaping",
    "freshness",
    "markdown",
    "status",
    "verification",
]
