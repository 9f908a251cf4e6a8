"""Whether models predict the label better with the scores than without them.

::

    measure ──▶ rows ──▶ hindrances                  what is measured, or why it cannot be
       ├──────▶ comparison ──▶ testing ──▶ arms      base, base + scores, control; folds, repeats, models
       ├──────▶ predictions                          order within contents, ratings, the ceiling
       └──────▶ verdicts                             the verdict and its reason
                     └──▶ protocol                   names of arms, settings
    full/                                            fewer training contents, another table to test on
"""

__all__ = [
    "arms",
    "comparison",
    "full",
    "hindrances",
    "measure",
    "predictions",
    "protocol",
    "rows",
    "testing",
    "verdicts",
]
