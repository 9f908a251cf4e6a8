"""What training adds to the interval of a change between two arms.

Draws of contents hold the trained models fixed, so their interval holds the choice of tested contents alone. Other
training rows would give other models: how much that matters shows in the repeats, and in how folds differ.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

from ..table import Floats


def widened(point: float, ends: list[float | None], repeats: Floats, level: float) -> list[float | None]:
    """An interval with the training's part: each side becomes `sqrt(side^2 + (z s)^2)`.

    :param ends: the interval for fixed models.
    :param repeats: the change in each repeat of the whole cross-validation; `s` is their standard deviation (ddof 1), 0
        for a single repeat, of which nothing is known.
    """
    low, high = ends
    defined = repeats[~np.isnan(repeats)]
    if low is None or high is None:
        return [None, None]
    spread = float(defined.std(ddof=1)) if defined.size > 1 else 0.0
    reach = float(norm.ppf((1 + level) / 2)) * spread
    return [point - float(np.hypot(point - low, reach)), point + float(np.hypot(high - point, reach))]


def corrected_t(folds: Floats, tested_share: float, level: float) -> list[float | None]:
    """The corrected resampled t interval of a mean change over folds.

    Its variance is `(1 / J + n_test / n_train) s^2` with `J - 1` degrees of freedom (Nadeau and Bengio 2003).

    :param folds: the change in each of J folds.
    :param tested_share: rows tested over rows trained on, `1 / (k - 1)` for k folds.
    :returns: null if fewer than two folds define the change.
    """
    defined = folds[~np.isnan(folds)]
    if defined.size < 2:
        return [None, None]
    error = np.sqrt((1 / defined.size + tested_share) * defined.var(ddof=1))
    half = float(student_t.ppf((1 + level) / 2, defined.size - 1) * error)
    mean = float(defined.mean())
    return [mean - half, mean + half]
