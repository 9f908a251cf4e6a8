"""The impact of a table's scores on a model that predicts its label, or the reason why it cannot be measured."""

from __future__ import annotations

import numpy as np

from ..documents import AllRows, CorpusImpact, ImpactCeiling, TableImpact, rounded
from ..statistics.folds import Rows, effective_groups
from ..statistics.models import BoostedTrees, Model, SupportVectors
from ..statistics.ratings.ceiling import LabelCeiling, ceiling_of
from ..table import Codes, EvidenceTable
from .comparison import Comparison, Progress, compare
from .hindrances import hindrance
from .predictions import arm_predictions
from .protocol import BASE, DEFAULTS, WITH_SCORES, ImpactSettings
from .rows import Labelled
from .verdicts import verdict


def measure_impact(
    table: EvidenceTable,
    settings: ImpactSettings = DEFAULTS,
    *,
    workers: int = 1,
    progress: Progress = lambda _done, _total: None,
) -> TableImpact:
    """The arms on complete rows and on all rows, and the verdict, which follows from the complete rows.

    Of a table that pools corpora, figures are means over corpora of each one's own.

    :param table: a table with a target.
    :param workers: threads that train; the result does not depend on it.
    :param progress: called with the number of models tested so far and the number of all, per set of rows.
    :raises ValueError: the table has no target.
    """
    if table.target is None:
        raise ValueError(
            f"{table.id}: the impact of scores is measured on a label, and the table names no target"
        )
    labelled = Labelled.of(table, table.target)
    model = model_of(labelled.every.size, settings)
    impact = _unmeasured(labelled, settings, model)
    if not impact["reason"]:
        inputs = labelled.inputs(labelled.complete)
        found = compare(inputs, model, settings, workers, progress)
        impact["model"] = model.name
        impact |= _measured(found)  # type: ignore[typeddict-item]  # a part of the same document
        impact["corpora"] = _by_corpus(labelled, found)
        impact["predictions"] = arm_predictions(table, labelled.complete, inputs, found)
        if labelled.every.size > labelled.complete.size:
            every = compare(labelled.inputs(labelled.every), model, settings, workers, progress)
            impact["all_rows"] = _all_rows(labelled, every)
    result: TableImpact = rounded(impact)
    return result


def model_of(rows: int, settings: ImpactSettings) -> Model:
    """The model that the settings name, or the one for this number of rows."""
    chosen = settings.model or ("svr-rbf" if rows <= settings.max_svr_rows else "hist-gradient-boosting")
    return SupportVectors(settings.seed) if chosen == "svr-rbf" else BoostedTrees(settings.seed)


def _unmeasured(labelled: Labelled, settings: ImpactSettings, model: Model) -> TableImpact:
    """The impact before any model is trained. Its reason is empty if the impact can be measured."""
    table = labelled.table
    groups = None if table.groups is None else table.groups[labelled.complete]
    return {
        "id": table.id,
        "target": labelled.target,
        "group": table.group,
        "corpus": table.corpus,
        "rows": int(labelled.complete.size),
        "groups": None if groups is None else int(np.unique(groups).size),
        "effective_groups": None if groups is None else effective_groups(groups),
        "nameless_rows": labelled.nameless,
        "left_out": labelled.left_out,
        "model": None,
        "protocol": {
            "folds": settings.folds,
            "repeats": settings.repeats,
            "seed": settings.seed,
            "bootstrap": settings.bootstrap,
            "level": settings.level,
            "comparisons": len(labelled.scorers),
            "tuning": model.tuning,
        },
        "arms": [],
        "deltas": [],
        "against_control": None,
        "corpora": [],
        "ceiling": None if (ceiling := ceiling_of(table, labelled.complete)) is None else _ceiling(ceiling),
        "predictions": [],
        "verdict": "not measurable",
        "reason": hindrance(labelled) or "",
        "all_rows": None,
    }


def _ceiling(found: LabelCeiling) -> ImpactCeiling:
    return {
        "rows": found.rows,
        "reliability": found.reliability,
        "correlation": found.correlation,
        "rmse": found.rmse,
    }


def _measured(found: Comparison) -> dict[str, object]:
    deltas, against = found.deltas(), found.against_control()
    given, reason = verdict(deltas, against, found.settings.level, found.scorers)
    return {
        "arms": found.arms(),
        "deltas": deltas,
        "against_control": against,
        "verdict": given,
        "reason": reason,
    }


def _by_corpus(labelled: Labelled, found: Comparison) -> list[CorpusImpact]:
    """The change by the scores within each corpus of a table that pools several."""
    corpora, groups = labelled.table.corpora, labelled.table.groups
    if corpora is None or groups is None:
        return []
    codes = corpora.codes[labelled.complete]
    return [
        _of_part(found, at, corpora.values[code], labelled.complete[codes == code], groups)
        for at, code in enumerate(np.unique(codes), 1)
    ]


def _of_part(found: Comparison, at: int, name: str, rows: Rows, groups: Codes) -> CorpusImpact:
    base, with_scores = (float(found.measured[arm].part(at).figures[0]) for arm in (BASE, WITH_SCORES))
    change = found.change(WITH_SCORES, BASE, at)
    return {
        "corpus": name,
        "rows": int(rows.size),
        "groups": int(np.unique(groups[rows]).size),
        "base": base,
        "with_scores": with_scores,
        "change": change["srcc"],
        "interval": change["intervals"]["srcc"],
    }


def _all_rows(labelled: Labelled, found: Comparison) -> AllRows:
    groups = labelled.table.groups
    return {
        "rows": int(labelled.every.size),
        "groups": 0 if groups is None else int(np.unique(groups[labelled.every]).size),
        "arms": found.arms(),
        "deltas": found.deltas(),
    }
