"""Figures of merit of a prediction, in the field's names, and the curve that maps predictions onto the label's scale.

SRCC and KRCC measure order, so they need no mapping. PLCC and RMSE are given raw and after the mapping, as in ITU-T
P.1401, 7.5.1 and 7.5.3. Mappings differ between authors, so cite the one that was used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import expit
from scipy.stats import kendalltau

from ..table import Floats
from .correlations import pearson, spearman
from .resampling import Draws, sampled

FIGURES = ("srcc", "krcc", "plcc", "rmse", "plcc_mapped", "rmse_mapped")
CORRELATIONS = np.array([name not in ("rmse", "rmse_mapped") for name in FIGURES])
_MIN_FITTED = 5
_MAX_FITTED = 20_000
_MAX_EVALUATIONS = 500
# Bounds of low, span, slope and centre, in standard deviations of labels and of predictions.
_BOUNDS = np.array([[-10.0, 0.0, -100.0, -10.0], [10.0, 20.0, 100.0, 10.0]])
_MIN_SPREAD = 1e-13


@dataclass(frozen=True)
class Logistic:
    """`low + span / (1 + exp(-slope (x - centre)))`, with x in standard deviations from a mean."""

    mean: float
    deviation: float
    low: float
    span: float
    slope: float
    centre: float

    def __call__(self, values: Floats) -> Floats:
        """The curve at `values`."""
        scaled = (values - self.mean) / self.deviation
        return _curve(np.array([self.low, self.span, self.slope, self.centre]), scaled)


def fitted_logistic(predictions: Floats, labels: Floats) -> Logistic | None:
    """The logistic curve with four parameters that maps finite predictions onto labels with least squares.

    The curve is `b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|))` of VQEG's final report of phase I (2000), which VIDEVAL's
    evaluation uses. Here a slope replaces `1 / |b4|`, so that the curve may also fall. Its ends are bounded by the
    labels and its centre by the predictions: a search without bounds would not end where the relation is a line. Of
    more than `_MAX_FITTED` predictions, that many are taken at random.

    :returns: None if there are too few predictions, one of the two is constant, or the fit did not converge.
    """
    if predictions.size < _MIN_FITTED:
        return None
    kept = sampled(predictions.size, _MAX_FITTED)
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # scipy rejects values that are too large to be squared
        mean, deviation = float(predictions.mean()), float(predictions.std())
        level, unit = float(labels.mean()), float(labels.std())
        if not (_varies(predictions, deviation) and _varies(labels, unit)):
            return None
        x, y = (predictions[kept] - mean) / deviation, (labels[kept] - level) / unit
    start = np.array([y.min(), np.ptp(y), 1.0 if x @ y >= 0 else -1.0, 0.0])
    found = least_squares(
        lambda given: _curve(given, x) - y,
        np.clip(start, 0.9 * _BOUNDS[0], 0.9 * _BOUNDS[1]),
        lambda given: _derivatives(given, x),
        bounds=_BOUNDS,
        max_nfev=_MAX_EVALUATIONS,
    )
    if not found.success:
        return None
    low, span, slope, centre = (float(each) for each in found.x)
    return Logistic(mean, deviation, level + unit * low, unit * span, slope, centre)


def figures(labels: Floats, raw: Floats, mapped: Floats) -> Floats:
    """The figures of one prediction of finite labels, in the order of `FIGURES`; NaN if not defined."""
    found = [
        spearman(raw, labels),
        float(kendalltau(raw, labels).statistic) if raw.size > 1 else None,
        pearson(raw, labels),
        _rmse(raw, labels),
        pearson(mapped, labels),
        _rmse(mapped, labels),
    ]
    return np.array([np.nan if each is None else each for each in found])


def drawn_figures(draws: Draws, labels: Floats, raw: Floats, mapped: Floats) -> Floats:
    """The figures in each draw: one row per figure, one column per draw."""
    return np.stack(
        [
            draws.spearman(raw, labels),
            draws.kendall(raw, labels),
            draws.pearson(raw, labels),
            draws.rmse(raw, labels),
            draws.pearson(mapped, labels),
            draws.rmse(mapped, labels),
        ]
    )


def _varies(values: Floats, deviation: float) -> bool:
    """True if a standard deviation is a number, and more than the rounding error of a constant."""
    return bool(_MIN_SPREAD * np.abs(values).max() < deviation < np.inf)


def _rmse(x: Floats, y: Floats) -> float:
    return float(np.sqrt(np.mean((x - y) ** 2)))


def _curve(given: Floats, x: Floats) -> Floats:
    low, span, slope, centre = given
    curve: Floats = low + span * expit(slope * (x - centre))
    return curve


def _derivatives(given: Floats, x: Floats) -> Floats:
    """The derivatives of the curve by low, span, slope and centre (columns) at each x."""
    _, span, slope, centre = given
    share = expit(slope * (x - centre))
    steep = span * share * (1 - share)
    return np.stack([np.ones_like(x), share, steep * (x - centre), -steep * slope], axis=1)
