"""What `impact --full` measures beyond the impact: models trained on fewer contents, and tested on another table.

::

    learning, transfer ──▶ complete     the complete rows
"""

__all__ = [
    "complete",
    "learning",
    "transfer",
]
