"""The two models that represent what users train on a table; arrays of features in, predictions out.

Medians, ranges and settings are learned from the rows that the model is fitted to, and from no others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVR

from ..table import Codes, Floats
from .folds import Rows, inner_split

INNER_SHARE = 0.2
MAX_TUNING_ROWS = 4_000
COSTS = tuple(2.0**power for power in (1, 4, 7, 10))
GAMMAS = tuple(2.0**power for power in (-8, -5, -2, 1))
_GRID = tuple(itertools.product(COSTS, GAMMAS))
_CACHE_MB = 200
_PREDICTED_ROWS = 2_000
# Tolerance of the solver in a trial; the final model is solved ten times more closely.
_TRIAL_TOLERANCE = 1e-2
# Most of the time would go into large C, which are seldom near the best. So they are tried loosely at first, and again as
# the others are if their error is within this factor of the least: of 72 searches on real tables one missed the best.
_COSTLY = 100.0
_LOOSE_TOLERANCE = 0.5
_NEAR_BEST = 1.15


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


_Setting: TypeAlias = tuple[float, float]  # cost, gamma


@dataclass(frozen=True)
class SupportVectors:
    """Support vector regression with an RBF kernel, the field's protocol.

    It follows VIDEVAL's evaluation: features are scaled to 0 ... 1, C and gamma are chosen by the least RMSE on one inner
    split of 80 to 20 from a grid over 2^1 ... 2^10 and 2^-8 ... 2^1, and the model is then fitted to all rows. It
    differs in four ways: missing values become the median, the inner split keeps groups whole, labels are standardized,
    and of C and gamma every third power of two is tried.
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

    def _settings(self, features: Floats, labels: Floats, groups: Codes) -> _Setting:
        """C and gamma with the least error of the whole grid; of equal ones, the least."""
        trials = _Trials.of_split(
            features, labels, inner_split(groups, INNER_SHARE, MAX_TUNING_ROWS, self.seed)
        )
        errors = trials.errors([each for each in _GRID if each[0] < _COSTLY], _TRIAL_TOLERANCE)
        loose = trials.errors([each for each in _GRID if each[0] >= _COSTLY], _LOOSE_TOLERANCE)
        limit = _NEAR_BEST * min(*errors.values(), *loose.values())
        errors |= trials.errors([each for each, error in loose.items() if error <= limit], _TRIAL_TOLERANCE)
        return min(errors, key=lambda setting: (errors[setting], setting))


@dataclass(frozen=True)
class _Trials:
    """What settings are tried on. Squared distances are computed once, since a kernel of any gamma follows from them.

    Attributes:
        among: between the rows that are trained on.
        across: from each row that is predicted (down) to those.
        labels: of the rows that are trained on.
        judged: of the rows that are predicted.
    """

    among: Floats
    across: Floats
    labels: Floats
    judged: Floats

    @classmethod
    def of_split(cls, features: Floats, labels: Floats, split: tuple[Rows, Rows]) -> _Trials:
        """Trials that train on the first rows of a split and judge by the others."""
        tried, judged = split
        return cls(
            euclidean_distances(features[tried], squared=True),
            euclidean_distances(features[judged], features[tried], squared=True),
            labels[tried],
            labels[judged],
        )

    def errors(self, settings: Sequence[_Setting], tolerance: float) -> dict[_Setting, float]:
        """The mean squared error of each setting."""
        found = {}
        # The checks of small arrays would take longer than what is computed on them.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            for gamma, alike in itertools.groupby(sorted(settings, key=_gamma), _gamma):
                among, across = np.exp(-gamma * self.among), np.exp(-gamma * self.across)
                for cost, _ in alike:
                    trial = SVR(kernel="precomputed", C=cost, tol=tolerance, cache_size=_CACHE_MB)
                    trial.fit(among, self.labels)
                    predicted = across[:, trial.support_] @ trial.dual_coef_[0] + trial.intercept_[0]
                    found[cost, gamma] = float(np.mean((predicted - self.judged) ** 2))
        return found


def _gamma(setting: _Setting) -> float:
    return setting[1]


@dataclass(frozen=True)
class BoostedTrees:
    """Gradient boosting of histograms with scikit-learn's settings, which handles missing values itself."""

    seed: int = 0
    name: str = "hist-gradient-boosting"
    tuning: str = "none: 100 trees of at most 31 leaves, learning rate 0.1, no early stopping"

    def fit(self, features: Floats, labels: Floats, groups: Codes) -> Predictor:  # noqa: ARG002 - nothing is tuned
        """Fit the model to all rows; a column without any value here is ignored in predictions too."""
        empty: NDArray[np.bool_] = np.asarray(np.isnan(features).all(axis=0))
        fitted = HistGradientBoostingRegressor(early_stopping=False, random_state=self.seed)
        fitted.fit(_without(empty, features), labels)

        def predict(features: Floats) -> Floats:
            # Every tree passes over all rows that it is given: in twice the time if they do not fit in a cache.
            parts = np.array_split(features, len(features) // _PREDICTED_ROWS + 1)
            return np.concatenate([_predicted(fitted, _without(empty, each)) for each in parts])

        return predict


def _without(empty: NDArray[np.bool_], features: Floats) -> Floats:
    """The features, with zeros in the columns that are empty."""
    return np.where(empty, 0.0, features) if empty.any() else features


def _predicted(fitted: SVR | HistGradientBoostingRegressor, features: Floats) -> Floats:
    return np.asarray(fitted.predict(features), dtype=np.float64)


_MODELS: tuple[type[SupportVectors | BoostedTrees], ...] = (SupportVectors, BoostedTrees)


def named_model(name: str, seed: int = 0) -> Model:
    """The model of that name in documents."""
    return next(model(seed) for model in _MODELS if model.name == name)
