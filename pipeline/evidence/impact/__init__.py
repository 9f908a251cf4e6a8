"""Whether models that are given the scores predict the label better.

::

    measure ──▶ arms ──▶ protocol    base, base + scores, control; folds, repeats, models
"""

__all__ = [
    "arms",
    "measure",
    "protocol",
]
