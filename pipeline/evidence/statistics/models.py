"""The two models that represent what users train on a table; arrays of features in, predictions out.

Medians, ranges and settings are learned from the rows that the model is fitted to, and from no others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVR

from pipeline.evidence.statistics.folds import inner_split
from pipeline.evidence.table import Codes, Floats

INNER_SHARE = 0.2
MAX_TUNING_ROWS = 4_000
COSTS = tuple(2.0**power for power in (1, 4, 7, 10))
GAMMAS = tuple(2.0**power for power in (-8, -5, -2, 1))
_CACHE_MB = 200
# Tolerance of the solver in a trial; the final model is solved ten times more closely.
_TRIAL_TOLERANCE = 1e-2


class Predictor(Protocol):
    """A fitted model: from features, one row per clip, to predictions in the label's units."""

    def __call__(self, features: Floats, /) -> Floats:
        """One prediction per row."""
        ...


class Model(Protocol):
    """A model that can be fitted."""

    @property
    def name(self) -> str:
        """Its name in the documents."""
        ...

    @property
    def tuning(self) -> str:
        """How its settings are chosen, in one sentence."""
        ...

    def fit(self, features: Floats, labels: Floats, groups: Codes) -> Predictor:
        """Fit the model to rows.

        :param features: one row per clip; finite or NaN.
        :param labels: one per row; finite.
        :param groups: the group of each row.
        """
        ...


_Setting: TypeAlias = tuple[float, float, float]  # error, cost, gamma


@dataclass(frozen=True)
class SupportVectors:
    """Support vector regression with an RBF kernel, the field's protocol.

    It follows VIDEVAL's evaluation: features are scaled to 0 ... 1, C and gamma are chosen by the least RMSE on one inner
    split of 80 to 20 from a grid over 2^1 ... 2^10 and 2^-8 ... 2^1, and the model is then fitted to all rows. It
    differs in four ways: missing values become the median, the inner split keeps groups whole, labels are standardized,
    and the search along C stops once the error grows.
    """

    seed: int = 0
    name: str = "svr-rbf"
    tuning: str = (
        f"C of {', '.join(f'{each:g}' for each in COSTS)} and gamma of {', '.join(f'{each:g}' for each in GAMMAS)} "
        "by least RMSE on a fifth of the groups of each training fold; of more than "
        f"{MAX_TUNING_ROWS} rows, about so many are tried"
    )

    def fit(self, features: Floats, labels: Floats, groups: Codes) -> Predictor:
        """Tune the model on an inner split of the rows, then fit it to all of them."""
        prepared = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), MinMaxScaler())
        mean, unit = float(labels.mean()), float(labels.std()) or 1.0
        scaled, wanted = prepared.fit_transform(features), (labels - mean) / unit
        cost, gamma = self._settings(scaled, wanted, groups)
        fitted = SVR(C=cost, gamma=gamma, cache_size=_CACHE_MB).fit(scaled, wanted)

        def predict(features: Floats) -> Floats:
            return mean + unit * _predicted(fitted, prepared.transform(features))

        return predict

    def _settings(self, features: Floats, labels: Floats, groups: Codes) -> tuple[float, float]:
        tried, judged = inner_split(groups, INNER_SHARE, MAX_TUNING_ROWS, self.seed)
        among = euclidean_distances(features[tried], squared=True)
        across = euclidean_distances(features[judged], features[tried], squared=True)
        trials = (
            _along_cost(gamma, np.exp(-gamma * among), np.exp(-gamma * across), labels[tried], labels[judged])
            for gamma in GAMMAS
        )
        _, cost, gamma = min(itertools.chain.from_iterable(trials))
        return cost, gamma


def _along_cost(
    gamma: float, among: Floats, across: Floats, tried: Floats, judged: Floats
) -> Iterator[_Setting]:
    """Trials with growing C, until the error grows. Trials with a larger C would take longest."""
    least = np.inf
    for cost in COSTS:
        trial = SVR(kernel="precomputed", C=cost, tol=_TRIAL_TOLERANCE, cache_size=_CACHE_MB)
        error = float(np.mean((_predicted(trial.fit(among, tried), across) - judged) ** 2))
        yield error, cost, gamma
        if error > least:
            return
        least = error


@dataclass(frozen=True)
class BoostedTrees:
    """Gradient boosting of histograms with scikit-learn's settings, which handles missing values itself."""

    seed: int = 0
    name: str = "hist-gradient-boosting"
    tuning: str = "none: 100 trees of at most 31 leaves, learning rate 0.1, no early stopping"

    def fit(self, features: Floats, labels: Floats, groups: Codes) -> Predictor:  # noqa: ARG002 - nothing is tuned
        """Fit the model to all rows; a column without any value here is ignored in predictions too."""
        empty = np.isnan(features).all(axis=0)
        fitted = HistGradientBoostingRegressor(early_stopping=False, random_state=self.seed)
        fitted.fit(np.where(empty, 0.0, features), labels)
        return lambda features: _predicted(fitted, np.where(empty, 0.0, features))


def _predicted(fitted: SVR | HistGradientBoostingRegressor, features: Floats) -> Floats:
    return np.asarray(fitted.predict(features), dtype=np.float64)
