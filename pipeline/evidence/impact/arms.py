"""Arms: models that are given different columns of the same rows, compared on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipeline.evidence.documents import Arm, Delta, Figures
from pipeline.evidence.impact.protocol import BASE, CONTROL, SCORES, WITH_SCORES, ImpactSettings, corrected
from pipeline.evidence.statistics.folds import Fold, Rows, repeated_folds
from pipeline.evidence.statistics.metrics import (
    CORRELATIONS,
    FIGURES,
    drawn_figures,
    figures,
    fitted_logistic,
)
from pipeline.evidence.statistics.models import Model
from pipeline.evidence.statistics.resampling import Draws, interval, sampled
from pipeline.evidence.table import Codes, Floats

MAX_MAPPED_ROWS = 5_000

Progress = Callable[[int, int], None]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Inputs:
    """Labelled rows of a table.

    Attributes:
        labels: the label of each row; finite.
        groups: the group of each row.
        baseline: the columns of the baseline, rows x columns; finite or NaN.
        scores: the columns of each scorer, rows x columns, by its label; finite or NaN.
    """

    labels: Floats
    groups: Codes
    baseline: Floats
    scores: Mapping[str, Floats]


@dataclass(frozen=True)
class _Given:
    """The columns that an arm is given: the baseline or not, which scorers, and whether their rows are shuffled."""

    baseline: bool
    scorers: tuple[str, ...]
    shuffled: bool = False


@dataclass(frozen=True)
class _Tested:
    """One arm on one fold: its figures, the figures of each draw, and whether the mapping was fitted."""

    figures: Floats
    drawn: Floats
    mapped: bool


def compare(
    inputs: Inputs, model: Model, settings: ImpactSettings, workers: int, progress: Progress
) -> tuple[list[Arm], list[Delta]]:
    """Metrics of every arm, and the difference of each other arm from `base`.

    :param workers: threads that train; the result does not depend on it.
    :param progress: called with the number of models tested so far and the number of all.
    """
    arms = dict(_arms([*inputs.scores]))
    folds = repeated_folds(inputs.groups, settings.folds, settings.repeats, settings.seed)
    draws = Draws.of_groups(inputs.groups, settings.bootstrap, settings.seed)
    # Arms with the same columns are tested once: with one scorer, `base+scores` and `base+<label>`.
    jobs = [(given, fold) for given in dict.fromkeys(arms.values()) for fold in folds]

    def test(job: tuple[_Given, Fold]) -> _Tested:
        return _test(inputs, *job, model, draws, settings.seed)

    found: dict[_Given, list[_Tested]] = {}
    for done, ((given, _), tested) in enumerate(zip(jobs, _all(test, jobs, workers), strict=True), 1):
        found.setdefault(given, []).append(tested)
        progress(done, len(jobs))
    level = corrected(settings.level, len(inputs.scores))
    base = found[arms[BASE]]
    return (
        [_arm(name, _width(inputs, given), found[given], settings.level) for name, given in arms.items()],
        [
            # The control's interval is not widened: a wide one would hide a gain of the control.
            _delta(name, found[given], base, settings.level if name == CONTROL else level)
            for name, given in arms.items()
            if name != BASE
        ],
    )


def arm_of(label: str) -> str:
    """The name of the arm that is given the baseline and one scorer."""
    name = f"{BASE}+{label}"
    return name if name not in (WITH_SCORES, CONTROL) else f"{name} (scorer)"


def _arms(labels: Sequence[str]) -> Iterator[tuple[str, _Given]]:
    every = tuple(labels)
    yield BASE, _Given(True, ())
    yield WITH_SCORES, _Given(True, every)
    yield SCORES, _Given(False, every)
    yield CONTROL, _Given(True, every, shuffled=True)
    yield from ((arm_of(label), _Given(True, (label,))) for label in labels)


def _all(test: Callable[[_T], _Tested], jobs: Sequence[_T], workers: int) -> Iterator[_Tested]:
    """`test` of each job, in order. Libraries use one thread each: with more, sums differ in the last bits."""
    with threadpool_limits(1):
        if workers == 1:
            yield from map(test, jobs)
            return
        pool = ThreadPoolExecutor(workers, initializer=lambda: threadpool_limits(1))
        try:
            yield from pool.map(test, jobs)
        finally:
            pool.shutdown(cancel_futures=True)


def _test(inputs: Inputs, given: _Given, fold: Fold, model: Model, draws: Draws, seed: int) -> _Tested:
    matrix = _matrix(
        inputs, given, np.random.default_rng([seed, fold.repeat]).permutation(inputs.labels.size)
    )
    labels = inputs.labels[fold.test]
    predict = model.fit(matrix(fold.train), inputs.labels[fold.train], inputs.groups[fold.train])
    raw = predict(matrix(fold.test))
    # The mapping has four parameters and needs no more rows; predicting all rows could take as long as training.
    trained = fold.train[sampled(fold.train.size, MAX_MAPPED_ROWS)]
    mapping = fitted_logistic(predict(matrix(trained)), inputs.labels[trained])
    mapped = raw if mapping is None else mapping(raw)
    tested = draws.of_rows(fold.test)
    return _Tested(
        _without_order(figures(labels, raw, mapped), np.ptp(labels) > 0),
        _without_order(drawn_figures(tested, labels, raw, mapped), ~np.isnan(tested.pearson(labels, labels))),
        mapping is not None,
    )


def _matrix(inputs: Inputs, given: _Given, shuffled: Rows) -> Callable[[Rows], Floats]:
    """A function from rows to the features of an arm. Shuffling moves the scores of all scorers together."""

    def features(rows: Rows) -> Floats:
        of_scores = shuffled[rows] if given.shuffled else rows
        parts = [inputs.baseline[rows]] if given.baseline else []
        return np.hstack([*parts, *(inputs.scores[label][of_scores] for label in given.scorers)])

    return features


def _width(inputs: Inputs, given: _Given) -> int:
    own: list[int] = [inputs.scores[label].shape[1] for label in given.scorers]
    return sum(own) + (int(inputs.baseline.shape[1]) if given.baseline else 0)


def _without_order(values: Floats, labels_vary: np.bool_ | NDArray[np.bool_]) -> Floats:
    """Treat the undefined correlation of a constant prediction as 0, unless the labels are constant too."""
    constant = np.isnan(values) & labels_vary & (CORRELATIONS if values.ndim == 1 else CORRELATIONS[:, None])
    return np.where(constant, 0.0, values)


def _arm(name: str, features: int, tested: Sequence[_Tested], level: float) -> Arm:
    failures = sum(not each.mapped for each in tested)
    mean, drawn = _mean([each.figures for each in tested]), _mean([each.drawn for each in tested])
    return {
        "name": name,
        "features": features,
        **_named(mean),
        "intervals": _intervals(drawn, level),
        "mapping_failures": failures,
    }


def _delta(name: str, tested: Sequence[_Tested], base: Sequence[_Tested], level: float) -> Delta:
    pairs = [*zip(tested, base, strict=True)]
    mean = _mean([each.figures - other.figures for each, other in pairs])
    drawn = _mean([each.drawn - other.drawn for each, other in pairs])
    return {"name": name, **_named(mean), "intervals": _intervals(drawn, level)}


def _mean(values: Sequence[Floats]) -> Floats:
    """The mean of each figure over the folds in which it is defined."""
    stacked = np.stack(values)
    defined = ~np.isnan(stacked)
    count = defined.sum(axis=0)
    total = np.where(defined, stacked, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _named(values: Floats) -> Figures:
    srcc, krcc, plcc, rmse, plcc_mapped, rmse_mapped = (
        None if np.isnan(each) else float(each) for each in values
    )
    return {
        "srcc": srcc,
        "krcc": krcc,
        "plcc": plcc,
        "rmse": rmse,
        "plcc_mapped": plcc_mapped,
        "rmse_mapped": rmse_mapped,
    }


def _intervals(drawn: Floats, level: float) -> dict[str, list[float | None]]:
    return {name: interval(values, level) for name, values in zip(FIGURES, drawn, strict=True)}
