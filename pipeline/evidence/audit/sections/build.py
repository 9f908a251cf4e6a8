"""All sections of a table's audit."""

from __future__ import annotations

from collections.abc import Sequence

from ...documents import Sections
from ...table import EvidenceTable
from .categories import category_section
from .ceiling import ceiling_section
from .disagreement import disagreement_section
from .order import order_section
from .rating_agreement import rating_section
from .scores import LabelledScores


def sections_of(table: EvidenceTable, scores: Sequence[LabelledScores]) -> Sections:
    """The sections; one whose declarations are missing is null or empty.

    :param scores: the table's `labelled_scores`.
    """
    return {
        "order_within_content": order_section(table),
        "categories": category_section(table),
        "disagreements": disagreement_section(table, scores),
        "ceiling": ceiling_section(table, scores),
        "rating_agreement": rating_section(table, scores),
    }
