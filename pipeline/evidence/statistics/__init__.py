"""Statistics that audit and impact share; arrays in, numbers out.

::

    metrics, correlations    agreement of two columns
    leaks, repeats           what makes agreement worthless
    resampling, training     intervals: by drawing contents, and what training adds
    folds, models            cross-validation that keeps contents whole
"""

__all__ = [
    "correlations",
    "folds",
    "leaks",
    "metrics",
    "models",
    "repeats",
    "resampling",
    "training",
]
