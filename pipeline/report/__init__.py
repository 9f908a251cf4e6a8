"""The batch in one document, and whether what it says is still so.

::

    build ──▶ markdown ──▶ escaping   receipts of a batch -> its report, for programs and for people
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
