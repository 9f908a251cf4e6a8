"""What the joined tables of a batch cover, and what their scores are worth; an extra that `run` does not know.

::

    batch ──▶ tasks ──▶ state       what is up to date, and the results so far
                └─────▶ work
                          ├──▶ table ──▶ audit     which signals a table holds, how they correlate with its label
                          │         └──▶ impact    whether a model that is given the scores predicts better
                          │                └──▶ statistics
                          └──▶ documents ──▶ render    JSON, Markdown and the page
    difference ──▶ render           what changed between two batches, as a page
"""

__all__ = [
    "audit",
    "batch",
    "difference",
    "documents",
    "impact",
    "render",
    "state",
    "statistics",
    "table",
    "tasks",
    "work",
]
