"""How rows are split for training and testing: a group is never on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

from ..table import Codes

Rows: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Numbers of rows, ascending.

    Attributes:
        repeat: number of the partition that the fold belongs to, from 0.
        train: the rows that a model is trained on.
        test: the rows that it is tested on.
    """

    repeat: int
    train: Rows
    test: Rows


def grouped_folds(groups: Codes, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Training and test rows of a K-fold over groups, shuffled by `seed`; each row is tested once.

    :param groups: the group of each row, at least `folds` different ones.
    """
    split = GroupKFold(folds, shuffle=True, random_state=seed).split(groups, groups=groups)
    yield from ((np.sort(train), np.sort(test)) for train, test in split)


def repeated_folds(groups: Codes, folds: int, repeats: int, seed: int) -> list[Fold]:
    """`repeats` partitions of the groups into `folds` parts, each shuffled differently."""
    return [
        Fold(repeat, train, test)
        for repeat in range(repeats)
        for train, test in grouped_folds(groups, folds, seed + repeat)
    ]


def inner_split(groups: Codes, share: float, most: int, seed: int) -> tuple[Rows, Rows]:
    """Rows to try settings on, and rows to judge them by: `share` of the groups.

    :param most: about the maximum number of rows of both together; groups beyond it are left out.
    """
    kept = min(1.0, most / groups.size)
    split = GroupShuffleSplit(
        1, test_size=share * kept, train_size=(1 - share) * kept if kept < 1 else None, random_state=seed
    )
    train, judged = next(split.split(groups, groups=groups))
    return np.sort(train), np.sort(judged)


def effective_groups(groups: Codes) -> float:
    """The number of equally large groups that are worth as much: `(sum n)^2 / sum n^2` (Kish 1965); 0 without rows."""
    _, counts = np.unique(groups, return_counts=True)
    return float(counts.sum() ** 2 / (counts**2).sum()) if counts.size else 0.0
