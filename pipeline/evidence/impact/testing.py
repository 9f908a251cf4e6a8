"""One arm on one fold: a model is trained on the training rows, and its predictions of the test rows are judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..statistics.folds import Fold, Rows
from ..statistics.metrics import CORRELATIONS, FIGURES, drawn_figures, figures, fitted_logistic
from ..statistics.models import Model
from ..statistics.resampling import Draws, sampled
from ..table import Codes, Floats
from .arms import Given, Inputs, rows_of_other_contents
from .protocol import ImpactSettings

MAX_MAPPED_ROWS = 5_000
MAX_LEFT_OUT = 100
"""Below this number of contents, intervals of Kendall's tau are by leaving out one content at a time."""


@dataclass(frozen=True)
class Resampled:
    """What all arms share, so that their differences are paired.

    Attributes:
        draws: draws of contents.
        left_out: the contents without one at a time; None: there are `MAX_LEFT_OUT` or more.
    """

    draws: Draws
    left_out: Draws | None

    @classmethod
    def of(cls, groups: Codes, settings: ImpactSettings) -> Resampled:
        """Draw the contents of a table."""
        few = np.unique(groups).size < MAX_LEFT_OUT
        draws = Draws.of_groups(groups, settings.bootstrap, settings.seed)
        return cls(draws, Draws.leaving_out(groups) if few else None)


@dataclass(frozen=True)
class Tested:
    """One arm on one fold, over all its test rows first and then, if the table pools corpora, over those of each.

    Attributes:
        figures: as `FIGURES`; rows: all and each corpus, columns: figures.
        drawn: the same in each draw; a third axis for draws.
        left_out: KRCC without each content; rows as above. No columns if none is left out.
        mapped: whether the mapping was fitted.
        predicted: the predictions of the fold's test rows, raw and mapped (2 x rows), on the scale of the labels that models are given.
    """

    figures: Floats
    drawn: Floats
    left_out: Floats
    mapped: bool
    predicted: Floats


def test_arm(
    inputs: Inputs, given: Given, fold: Fold, model: Model, resampled: Resampled, seed: int
) -> Tested:
    """Train a model for an arm on a fold, and test it."""
    moved = rows_of_other_contents(inputs.groups, np.random.default_rng([seed, fold.repeat]))

    def features(rows: Rows) -> Floats:
        return given.features(inputs, rows, moved)

    predict = model.fit(features(fold.train), inputs.labels[fold.train], inputs.groups[fold.train])
    raw = predict(features(fold.test))
    # The mapping has four parameters and needs no more rows; predicting all rows could take as long as training.
    trained = fold.train[sampled(fold.train.size, MAX_MAPPED_ROWS)]
    mapping = fitted_logistic(predict(features(trained)), inputs.labels[trained])
    mapped = raw if mapping is None else mapping(raw)
    judged = [
        _judged(fold.test[rows], inputs.labels, raw[rows], mapped[rows], resampled)
        for rows in _parts(inputs, fold)
    ]
    found, drawn, left_out = (np.stack(each) for each in zip(*judged, strict=True))
    return Tested(found, drawn, left_out, mapping is not None, np.stack([raw, mapped]))


def _parts(inputs: Inputs, fold: Fold) -> Iterator[NDArray[np.intp]]:
    """The places of the test rows of each part of the table in the fold."""
    yield np.arange(fold.test.size)
    if inputs.corpora is not None:
        for corpus in range(int(inputs.corpora.max(initial=-1)) + 1):
            yield np.flatnonzero(inputs.corpora[fold.test] == corpus)


def _judged(
    rows: Rows, every: Floats, raw: Floats, mapped: Floats, resampled: Resampled
) -> tuple[Floats, Floats, Floats]:
    draws, labels = resampled.draws.of_rows(rows), every[rows]
    left_out = None if resampled.left_out is None else resampled.left_out.of_rows(rows)
    if not rows.size:
        size = 0 if left_out is None else len(left_out.weights)
        shapes = (len(FIGURES), (len(FIGURES), len(draws.weights)), size)
        return np.full(shapes[0], np.nan), np.full(shapes[1], np.nan), np.full(shapes[2], np.nan)
    vary = ~np.isnan(draws.pearson(labels, labels))
    return (
        _without_order(figures(labels, raw, mapped), np.ptp(labels) > 0),
        _without_order(drawn_figures(draws, labels, raw, mapped), vary),
        np.empty(0) if left_out is None else _kendall(left_out, labels, raw),
    )


def _kendall(left_out: Draws, labels: Floats, raw: Floats) -> Floats:
    found = left_out.kendall(raw, labels)
    vary = ~np.isnan(left_out.pearson(labels, labels))
    return np.where(np.isnan(found) & vary, 0.0, found)


def _without_order(values: Floats, labels_vary: np.bool_ | NDArray[np.bool_]) -> Floats:
    """Treat the undefined correlation of a constant prediction as 0, unless the labels are constant too."""
    constant = np.isnan(values) & labels_vary & (CORRELATIONS if values.ndim == 1 else CORRELATIONS[:, None])
    return np.where(constant, 0.0, values)
