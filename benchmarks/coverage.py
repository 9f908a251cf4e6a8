"""How often the intervals of the impact hold the truth, and how often scores that say nothing get a verdict.

Tables are made, whose scores are worth nothing or a known amount, and measured by the product's folds, draws and
verdicts; kernel ridge regression replaces support vectors, since it is trained thousands of times. The truth is the
mean change over all made tables of a design. It prints a table for docs/evidence.md.

    python -m benchmarks.coverage [--tables 100] [--designs 6]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from pipeline.evidence.impact.arms import Inputs
from pipeline.evidence.impact.comparison import compare
from pipeline.evidence.impact.protocol import BASE, WITH_SCORES, ImpactSettings
from pipeline.evidence.impact.verdicts import verdict
from pipeline.evidence.statistics.models import Predictor
from pipeline.evidence.table import Codes, Floats

SETTINGS = ImpactSettings(bootstrap=500)
_FEATURES = 4
_ALPHAS = 10.0 ** np.arange(-3, 3)


@dataclass(frozen=True)
class Design:
    """What is made: `contents` with `rows_each`, and a scorer that adds `effect` to noise that is alike within contents."""

    name: str
    contents: int
    rows_each: int
    effect: float = 0.0

    def made(self, seed: int) -> Inputs:
        """One table."""
        random = np.random.default_rng([seed, self.contents, self.rows_each])
        rows = self.contents * self.rows_each

        def shared() -> Floats:
            """Columns of which half the variance is the content's."""
            content: Floats = np.repeat(random.normal(size=self.contents), self.rows_each)
            column: Floats = (content + random.normal(size=rows)) / np.sqrt(2)
            return column

        quality, features = shared(), np.column_stack([shared() for _ in range(_FEATURES)])
        labels = quality + 0.3 * random.normal(size=rows)
        features[:, 0] += quality
        scores = shared() + self.effect * quality
        groups = np.repeat(np.arange(self.contents), self.rows_each)
        return Inputs(labels, groups, features, {"scorer": scores[:, None]})


DESIGNS = (
    Design("no effect, 200 rows", 200, 1),
    Design("no effect, 30 x 7", 30, 7),
    Design("no effect, 100 x 7", 100, 7),
    Design("effect 0.2, 200 rows", 200, 1, 0.2),
    Design("effect 0.6, 200 rows", 200, 1, 0.6),
    Design("effect 0.6, 100 x 7", 100, 7, 0.6),
)


@dataclass(frozen=True)
class KernelRidge:
    """Kernel ridge regression, its penalty by the least error of leaving one row out."""

    name: str = "kernel-ridge"
    tuning: str = "penalty by leaving one row out"

    def fit(self, features: Floats, labels: Floats, groups: Codes) -> Predictor:  # noqa: ARG002 - nothing is grouped
        """Fit to all rows."""
        centre, unit = features.mean(axis=0), features.std(axis=0)
        mean, scaled = float(labels.mean()), (features - centre) / unit
        values, vectors = np.linalg.eigh(_kernel(scaled, scaled))
        turned = vectors.T @ (labels - mean)

        def error(alpha: float) -> float:
            shrunk = 1 / (values + alpha)
            return float(np.mean(((vectors @ (shrunk * turned)) / (vectors**2 @ shrunk)) ** 2))

        dual = vectors @ (turned / (values + min(_ALPHAS, key=error)))
        return lambda asked: mean + _kernel((asked - centre) / unit, scaled) @ dual


@dataclass(frozen=True)
class Outcome:
    """One made table: the change by the scores, its two intervals, and the verdict."""

    change: float
    interval: tuple[float, float]
    corrected_t: tuple[float, float]
    verdict: str


def outcome(job: tuple[Design, int]) -> Outcome:
    """Make a table and measure it."""
    design, seed = job
    found = compare(design.made(seed), KernelRidge(), SETTINGS, 1, lambda _done, _total: None)
    change = found.change(WITH_SCORES, BASE)
    given, _ = verdict(found.deltas(), found.against_control(), SETTINGS.level, 1)
    ends = (change["intervals"]["srcc"], change["corrected_t"]["srcc"])
    (low, high), (lower, higher) = ([np.nan if end is None else end for end in each] for each in ends)
    return Outcome(change["srcc"] or 0.0, (low, high), (lower, higher), given)


def lines(tables: int, designs: Sequence[Design]) -> Iterator[str]:
    """The table, line by line."""
    yield "| made | change | coverage | corrected t | improves | worse |"
    yield "|---|---|---|---|---|---|"
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for design in designs:
            found = [*pool.map(outcome, [(design, seed) for seed in range(tables)])]
            truth = float(np.mean([each.change for each in found]))
            held = [np.mean([low <= truth <= high for low, high in ends]) for ends in _ends(found)]
            given = [np.mean([each.verdict == kind for each in found]) for kind in ("improves", "worse")]
            figures = " | ".join(f"{each:.3f}" for each in (*held, *given))
            yield f"| {design.name} | {truth:+.4f} | {figures} |"


def _ends(found: list[Outcome]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    return [each.interval for each in found], [each.corrected_t for each in found]


def _kernel(first: Floats, second: Floats) -> Floats:
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    kernel: Floats = np.exp(-squares / (4 * first.shape[1]))
    return kernel


def main() -> None:
    """Print the table, a line per design."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=100, help="made tables of each design")
    parser.add_argument("--designs", type=int, default=len(DESIGNS), help="only the first so many of them")
    given = parser.parse_args()
    for line in lines(given.tables, DESIGNS[: given.designs]):
        print(line, flush=True)


if __name__ == "__main__":
    main()
