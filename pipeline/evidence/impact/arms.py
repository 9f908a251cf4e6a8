"""Arms: which columns of the same rows a model is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.folds import Rows
from ..table import Codes, Floats
from .protocol import BASE, CONTROL, SCORES, WITH_SCORES


@dataclass(frozen=True)
class Inputs:
    """Labelled rows of a table.

    Attributes:
        labels: the label of each row; finite.
        groups: the content of each row.
        baseline: the columns of the baseline, rows x columns; finite or NaN.
        scores: the columns of each scorer, rows x columns, by its label; finite or NaN.
        corpora: the corpus of each row, numbered from 0; None: all rows are of one.
    """

    labels: Floats
    groups: Codes
    baseline: Floats
    scores: Mapping[str, Floats]
    corpora: Codes | None = None


@dataclass(frozen=True)
class Given:
    """The columns that an arm is given: the baseline or not, which scorers, and whether scores are of other contents."""

    baseline: bool
    scorers: tuple[str, ...]
    shuffled: bool = False

    def width(self, inputs: Inputs) -> int:
        """The number of columns."""
        own = sum(int(inputs.scores[label].shape[1]) for label in self.scorers)
        return own + (int(inputs.baseline.shape[1]) if self.baseline else 0)

    def features(self, inputs: Inputs, rows: Rows, moved: Rows) -> Floats:
        """The features of rows, rows x columns.

        :param moved: for each row of the table, the row whose scores it is given if they are shuffled.
        """
        of_scores = moved[rows] if self.shuffled else rows
        parts = [inputs.baseline[rows]] if self.baseline else []
        return np.hstack([*parts, *(inputs.scores[label][of_scores] for label in self.scorers)])


def arms_of(labels: Sequence[str]) -> Iterator[tuple[str, Given]]:
    """Every arm by its name."""
    every = tuple(labels)
    yield BASE, Given(True, ())
    yield WITH_SCORES, Given(True, every)
    yield SCORES, Given(False, every)
    yield CONTROL, Given(True, every, shuffled=True)
    yield from ((arm_of(label), Given(True, (label,))) for label in labels)


def arm_of(label: str) -> str:
    """The name of the arm that is given the baseline and one scorer."""
    name = f"{BASE}+{label}"
    return name if name not in (WITH_SCORES, CONTROL) else f"{name} (scorer)"


def rows_of_other_contents(groups: Codes, random: np.random.Generator) -> Rows:
    """For each row, a row of the content that its content is given the scores of.

    Contents are shuffled whole, because scores of one content are alike, and columns that are alike within contents do
    harm of their own. Within a content rows are in random order, so that no rung of a ladder keeps its scores; if the
    other content has fewer rows, they are taken again.
    """
    _, content, counts = np.unique(groups, return_inverse=True, return_counts=True)
    rows = random.permutation(content.size)
    rows = rows[np.argsort(content[rows], kind="stable")]
    start = np.cumsum(counts) - counts
    other = random.permutation(counts.size)[content[rows]]
    place = np.arange(rows.size) - start[content[rows]]
    moved = np.empty_like(rows)
    moved[rows] = rows[start[other] + place % counts[other]]
    return moved
