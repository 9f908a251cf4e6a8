"""Statistics that audit and impact share; arrays in, numbers out.

::

    metrics, correlations    agreement of two columns
    resampling               intervals by drawing contents
    folds, models            cross-validation that keeps contents whole
"""

__all__ = [
    "correlations",
    "folds",
    "metrics",
    "models",
    "resampling",
]
