"""Whether models predict the label better with the scores than without them.

::

    measure ──▶ arms ──▶ protocol    base, base + scores, control; folds, repeats, models
"""

__all__ = [
    "arms",
    "measure",
    "protocol",
]
