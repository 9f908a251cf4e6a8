"""Arms compared on the same folds and the same draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..documents import Arm, Delta, Figures, Interval
from ..statistics.folds import Fold, repeated_folds
from ..statistics.metrics import FIGURES
from ..statistics.models import Model
from ..statistics.resampling import corrected_t, interval, jackknife, widened
from ..statistics.threads import MIN_THREADED_ROWS, in_order
from ..table import Floats
from .arms import Given, Inputs, arms_of
from .protocol import BASE, CONTROL, WITH_SCORES, ImpactSettings, corrected
from .testing import Resampled, Tested, test_arm

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Measured:
    """The figures of an arm, or of the difference of two, over parts of the table: all rows, then each corpus.

    Attributes:
        folds: figures of each fold: folds x parts x figures; folds of one repeat follow each other.
        drawn: the mean over folds in each draw: parts x figures x draws.
        left_out: the mean KRCC over folds without each content: parts x contents; no columns if there are many contents.
    """

    folds: Floats
    drawn: Floats
    left_out: Floats

    @classmethod
    def of(cls, tests: Sequence[Tested]) -> Measured:
        """The figures of one arm, from its tests in the order of folds."""
        return cls(
            np.stack([each.figures for each in tests]),
            _mean(np.stack([each.drawn for each in tests])),
            _mean(np.stack([each.left_out for each in tests])),
        )

    def __sub__(self, other: Measured) -> Measured:
        """The difference, fold by fold and draw by draw; both define the same figures, those of folds whose labels vary."""
        return Measured(self.folds - other.folds, self.drawn - other.drawn, self.left_out - other.left_out)

    def part(self, at: int) -> Measured:
        """One part of the table alone."""
        return Measured(self.folds[:, [at]], self.drawn[[at]], self.left_out[[at]])

    @property
    def figures(self) -> Floats:
        """The mean over folds; of pooled corpora, the mean over corpora of each one's own."""
        return _over_corpora(_mean(self.folds))

    def interval(self, figure: str, level: float) -> Interval:
        """The interval over contents."""
        at = FIGURES.index(figure)
        if figure == "krcc" and self.left_out.size:
            return jackknife(_over_corpora(self.left_out), float(self.figures[at]), level)
        return interval(_over_corpora(self.drawn)[at], level)


@dataclass(frozen=True)
class Comparison:
    """All arms of a table, measured.

    Attributes:
        measured: by the name of the arm.
        widths: number of columns of each arm.
        mapping_failures: the number of folds in which no mapping could be fitted, by the name of the arm.
        predicted: the predictions of each row in the first repeat, by a model that was not trained on its content: raw
            and mapped (2 x rows), by the name of the arm.
        settings: how they were measured.
        scorers: number of scorers, for which the level of changes is corrected.
    """

    measured: dict[str, Measured]
    widths: dict[str, int]
    mapping_failures: dict[str, int]
    predicted: dict[str, Floats]
    settings: ImpactSettings
    scorers: int

    def arms(self) -> list[Arm]:
        """Every arm; its intervals hold its models fixed."""
        return [
            {
                "name": name,
                "features": self.widths[name],
                **named(found.figures),
                "intervals": {figure: found.interval(figure, self.settings.level) for figure in FIGURES},
                "mapping_failures": self.mapping_failures[name],
            }
            for name, found in self.measured.items()
        ]

    def deltas(self) -> list[Delta]:
        """The change of each other arm from `base`."""
        return [self.change(name, BASE) for name in self.measured if name != BASE]

    def change(self, name: str, other: str, part: int | None = None) -> Delta:
        """The change from one arm to another, over the whole table or one part of it, with its intervals.

        The control's are at the level of the settings: a wide one would hide a gain of the control.
        """
        level = self.settings.level if name == CONTROL else corrected(self.settings.level, self.scorers)
        found = self.measured[name] - self.measured[other]
        found = found if part is None else found.part(part)
        means, folds = found.figures, np.stack([_over_corpora(each) for each in found.folds])
        repeats = np.stack([_mean(each) for each in np.split(folds, self.settings.repeats)])
        share = 1 / (self.settings.folds - 1)
        return {
            "name": name,
            **named(means),
            "intervals": {
                figure: widened(float(means[at]), found.interval(figure, level), repeats[:, at], level)
                for at, figure in enumerate(FIGURES)
            },
            "corrected_t": {
                figure: corrected_t(folds[:, at], share, level) for at, figure in enumerate(FIGURES)
            },
        }

    def against_control(self) -> Delta:
        """The change from the control to `base+scores`: what scores are worth beyond as many columns of noise."""
        return self.change(WITH_SCORES, CONTROL)


def compare(
    inputs: Inputs, model: Model, settings: ImpactSettings, workers: int, progress: Progress
) -> Comparison:
    """Train and test every arm.

    :param workers: threads that train, where there are enough rows; the result does not depend on it.
    :param progress: called with the number of models tested so far and the number of all.
    """
    workers = workers if inputs.labels.size >= MIN_THREADED_ROWS else 1
    arms = dict(arms_of([*inputs.scores]))
    folds = repeated_folds(inputs.groups, settings.folds, settings.repeats, settings.seed)
    resampled = Resampled.of(inputs.groups, settings)
    # Arms with the same columns are tested once: with one scorer, `base+scores` and `base+<label>`.
    jobs = [(given, fold) for given in dict.fromkeys(arms.values()) for fold in folds]

    def test(job: tuple[Given, Fold]) -> Tested:
        return test_arm(inputs, *job, model, resampled, settings.seed)

    found: dict[Given, list[Tested]] = {}
    for done, ((given, _), tested) in enumerate(zip(jobs, in_order(test, jobs, workers), strict=True), 1):
        found.setdefault(given, []).append(tested)
        progress(done, len(jobs))
    measured = {given: Measured.of(tests) for given, tests in found.items()}
    return Comparison(
        {name: measured[given] for name, given in arms.items()},
        {name: given.width(inputs) for name, given in arms.items()},
        {name: sum(not each.mapped for each in found[given]) for name, given in arms.items()},
        {name: _predicted(inputs.labels.size, folds, found[given]) for name, given in arms.items()},
        settings,
        len(inputs.scores),
    )


def _predicted(rows: int, folds: Sequence[Fold], tests: Sequence[Tested]) -> Floats:
    """The predictions of all rows in the first repeat."""
    predicted = np.full((2, rows), np.nan)
    for fold, tested in zip(folds, tests, strict=True):
        if fold.repeat == 0:
            predicted[:, fold.test] = tested.predicted
    return predicted


def named(values: Floats) -> Figures:
    """Figures by their names; None where one is not defined."""
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


def _over_corpora(parts: Floats) -> Floats:
    """Of several parts the mean of those after the first, which holds all rows."""
    return parts[0] if len(parts) == 1 else _mean(parts[1:])


def _mean(values: Floats) -> Floats:
    """The mean along the first axis of what is defined."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
