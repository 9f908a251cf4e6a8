"""Statistics that audit and impact share; arrays in, numbers out.

::

    metrics, correlations    agreement of two columns
    order                    agreement within the contents
    disagreement             the rows on which two columns disagree most
    ratings/                 agreement, given how uncertain the labels are
    leaks, repeats           what makes agreement worthless
    resampling               intervals: by drawing contents, and what training adds
    folds, models            cross-validation that keeps contents whole
    threads                  work in several threads
"""

__all__ = [
    "correlations",
    "disagreement",
    "folds",
    "leaks",
    "metrics",
    "models",
    "order",
    "ratings",
    "repeats",
    "resampling",
    "threads",
]
