"""Sections of a table's audit as batches would give them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.evidence.documents import (
    CategoryFigures,
    Ceiling,
    Disagreement,
    DisagreementRow,
    OrderedColumn,
    RatingAgreement,
    Sections,
)


def no_sections() -> Sections:
    """Those of a table for which nothing more than a label is declared."""
    return {
        "order_within_content": [],
        "categories": [],
        "disagreements": [],
        "ceiling": None,
        "rating_agreement": [],
    }


def made_sections(labels: Sequence[str], columns: Sequence[str], target: str, word: str = "clip") -> Sections:
    """All sections, of which every name that comes from inputs is one of these; `word` is each key and category.

    :param columns: the columns of the scorers `labels`, in the same order.
    """
    return {
        "order_within_content": [_ordered(each) for each in columns],
        "categories": [_category("corpus", labels, word), _category("category", labels, word)],
        "disagreements": [
            *(_disagreement("label", [each, target], word) for each in columns),
            *(_disagreement("scorers", [columns[0], each], word) for each in columns[1:]),
        ],
        "ceiling": _ceiling(labels),
        "rating_agreement": [_agreement(each) for each in labels],
    }


def _ordered(column: str) -> OrderedColumn:
    return {
        "column": column, "role": "score", "turned": True, "pairs": 600, "contents": 600, "share": 0.893,
        "untied_pairs": 590, "untied_share": 0.921, "srcc": None, "intervals": {"share": [0.88, 0.91], "srcc": [None, None]},
    }  # fmt: skip


def _category(kind: str, labels: Sequence[str], word: str) -> CategoryFigures:
    return {
        "column": word,
        "kind": "corpus" if kind == "corpus" else "category",
        "values": 32,
        "shown": [
            {
                "value": word,
                "n": 152,
                "scorers": [
                    {"label": each, "n": 152, "srcc": 0.749, "plcc": 0.752, "intervals": {"srcc": [0.67, 0.81], "plcc": [0.68, 0.82]}}
                    for each in labels
                ],
            },
            {
                "value": f"{word} 2",
                "n": 5,
                "scorers": [
                    {"label": each, "n": 5, "srcc": None, "plcc": None, "intervals": {"srcc": [None, None], "plcc": [None, None]}}
                    for each in labels
                ],
            },
        ],
        "omitted_rows": 12,
        "unnamed_rows": 3,
    }  # fmt: skip


def _disagreement(kind: str, columns: list[str], word: str) -> Disagreement:
    rows: list[DisagreementRow] = [
        {"key": f"{word}", "values": [0.5, 4.2], "compared": [3.1, 4.2], "difference": 1.1},
        {"key": f"{word} 2", "values": [0.6, 2.4], "compared": [3.4, 2.4], "difference": -1.0},
    ]
    if kind == "label":
        return {"kind": "label", "columns": columns, "n": 1175, "rows": rows}
    for row in rows:
        row["compared"], row["difference"] = [0.9, 0.1], -0.8
    return {"kind": "scorers", "columns": columns, "n": 1175, "rows": rows}


def _ceiling(labels: Sequence[str]) -> Ceiling:
    return {
        "rows": 1200,
        "reliability": 0.99321,
        "correlation": 0.9966,
        "rmse": 0.05304,
        "scorers": [
            {"label": each, "n": 1175, "plcc": 0.86, "rmse": 0.33, "share": 0.863 if at else None}
            for at, each in enumerate(labels)
        ],
    }


def _agreement(label: str) -> RatingAgreement:
    return {
        "label": label, "n": 1175, "rmse": 0.405, "rmse_star": 0.325, "outlier_ratio": 0.823, "half_interval": 0.103,
        "compared_rows": 1175, "pairs": 689_725, "different_pairs": 575_538,
        "auc_different": 0.665, "auc_better": 0.906, "c0": None,
        "intervals": {"auc_different": [0.65, 0.68], "auc_better": [0.89, 0.92], "c0": [None, None]},
    }  # fmt: skip
