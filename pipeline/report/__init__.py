"""The batch in one document: built, checked, and used by those who cite it.

::

    build ──▶ markdown ──▶ escaping   receipts of a batch -> its report, as JSON and as Markdown
      ▲
    freshness ──▶ status              which tables and reports are up to date, and why not
    reading                           a report as a file
      ├────▶ verification             every file it names, read again
      ├────▶ citation                 what a training job notes of it
      └────▶ opened                   its joined tables as pandas, Arrow or batches
                └────▶ comparison ──▶ drift   what changed between two of them
"""

__all__ = [
    "build",
    "citation",
    "comparison",
    "drift",
    "escaping",
    "freshness",
    "markdown",
    "opened",
    "reading",
    "status",
    "verification",
]
