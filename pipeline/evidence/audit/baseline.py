"""The label as a model of the baseline alone predicts it, for rows that the model was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..statistics.correlations import standardized
from ..statistics.folds import Rows, grouped_folds
from ..statistics.models import BoostedTrees, Model, Predictor
from ..statistics.resampling import sampled
from ..statistics.threads import in_order
from ..table import MAX_MAGNITUDE, Codes, Floats

FOLDS = 5
MAX_LINEAR_ROWS = 2_000
MAX_TRAINING_ROWS = 50_000
_SEED = 0


def out_of_fold(
    columns: Sequence[Floats], rows: Rows, label: Floats, groups: Codes, workers: int = 1
) -> Floats | None:
    """The label of each row, in standard deviations, as predicted by a model trained on other groups.

    There are five folds, which keep groups whole. Up to 2,000 rows the model is ridge regression of standardized
    columns with missing values imputed by the median. Above, it is gradient boosting of histograms, trained on at most
    50,000 random rows of a fold.

    :param columns: the columns of the baseline, one value per row of the table; a value that is not finite is missing.
    :param rows: the numbers of the rows that have a label.
    :param label: the label of each of these rows; finite.
    :param groups: the content of each of these rows.
    :param workers: threads that train; the result does not depend on it.
    :returns: None if there is no baseline, there are fewer groups than folds, or the label is constant.
    """
    scaled = standardized(label)
    if not columns or scaled is None or np.unique(groups).size < FOLDS:
        return None
    predicted = np.empty(label.size)
    folds = [*grouped_folds(groups, FOLDS, _SEED)]

    def fitted(fold: tuple[Rows, Rows]) -> Predictor:
        train, _ = fold
        drawn = np.sort(train[sampled(train.size, MAX_TRAINING_ROWS)])
        return _model(label.size).fit(_features(columns, rows[drawn]), scaled[drawn], groups[drawn])

    def predictions(job: tuple[Predictor, Rows]) -> Floats:
        predict, part = job
        return predict(_features(columns, rows[part]))

    # In parts, since the features of a whole fold would be a fifth of the table once more.
    jobs = [
        (predict, part)
        for (_, test), predict in zip(folds, in_order(fitted, folds, workers), strict=True)
        for part in np.array_split(test, -(-test.size // MAX_TRAINING_ROWS))
    ]
    for (_, part), found in zip(jobs, in_order(predictions, jobs, workers), strict=True):
        predicted[part] = found
    return predicted


@dataclass(frozen=True)
class _Linear:
    """Ridge regression of standardized features; missing values become the median."""

    name: str = "ridge"
    tuning: str = "none"

    def fit(self, features: Floats, labels: Floats, groups: Codes) -> Predictor:  # noqa: ARG002 - nothing is tuned
        """Fit the model to all rows."""
        fill = SimpleImputer(strategy="median", keep_empty_features=True)
        fitted = make_pipeline(fill, StandardScaler(), Ridge(alpha=1.0)).fit(features, labels)
        return lambda features: np.asarray(fitted.predict(features), np.float64)


def _model(rows: int) -> Model:
    return BoostedTrees(_SEED) if rows > MAX_LINEAR_ROWS else _Linear()


def _features(columns: Sequence[Floats], rows: Rows) -> Floats:
    picked = np.column_stack([column[rows] for column in columns])
    picked[~np.isfinite(picked)] = np.nan
    return picked.clip(-MAX_MAGNITUDE, MAX_MAGNITUDE, out=picked)
