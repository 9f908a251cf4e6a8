"""Errors of a prediction that is on the labels' scale, as ITU-T P.1401 (2020) measures them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...table import Floats
from .uncertainty import half_interval

CURVE_PARAMETERS = 4
"""Degrees of freedom that the logistic curve takes from the errors."""


@dataclass(frozen=True)
class Accuracy:
    """Errors of one prediction; lower is better.

    Attributes:
        rows: number of rows.
        rmse: root of the mean squared error, in the labels' units.
        rmse_star: the same of the part of each error that lies outside the label's 95 % interval (RMSE*).
        outlier_ratio: share of the rows whose error is larger than half the label's 95 % interval, 0 to 1.
        half_interval: mean half width of the labels' 95 % intervals, in the labels' units.
    """

    rows: int
    rmse: float
    rmse_star: float
    outlier_ratio: float
    half_interval: float

    @classmethod
    def of(cls, mapped: Floats, labels: Floats, sd: Floats, n: Floats) -> Accuracy | None:
        """The errors of finite predictions on the scale of `rated` labels (ITU-T P.1401, 7.5.3 and 7.5.4).

        Squared errors are divided by the number of rows minus 4, the parameters of the logistic curve that mapped the
        prediction onto the labels' scale.

        :returns: None: there are at most four rows.
        """
        free = labels.size - CURVE_PARAMETERS
        if free < 1:
            return None
        errors, half = np.abs(mapped - labels), half_interval(sd, n)
        beyond = np.maximum(errors - half, 0)
        return cls(
            rows=labels.size,
            rmse=float(np.sqrt((errors**2).sum() / free)),
            rmse_star=float(np.sqrt((beyond**2).sum() / free)),
            outlier_ratio=float(np.mean(errors > half)),
            half_interval=float(half.mean()),
        )
