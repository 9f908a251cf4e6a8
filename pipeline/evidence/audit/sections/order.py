"""The section about order within a content: scorers, then the columns of the baseline."""

from __future__ import annotations

from ...documents import OrderedColumn
from ...statistics.order import LabelledContents
from ...table import EvidenceTable
from .scores import is_turned


def order_section(table: EvidenceTable) -> list[OrderedColumn]:
    """How each scorer and each column of the baseline orders the rows of one content.

    A scorer is turned if its declared direction is not that of the label; other columns are taken as they are. Empty if
    the table has no label, declares no content, or no content has two labelled rows.
    """
    if table.target is None or table.groups is None:
        return []
    contents = LabelledContents.of(table.columns[table.target], table.groups)
    if contents is None:
        return []
    given = [(scorer.column, "score", is_turned(table, scorer)) for scorer in table.scorers]
    given += [(column, "baseline", False) for column in table.baseline]
    return [_ordered(table, contents, *each) for each in given]


def _ordered(
    table: EvidenceTable, contents: LabelledContents, column: str, role: str, turned: bool
) -> OrderedColumn:
    values = table.columns[column]
    order = contents.order(-values if turned else values)
    return {
        "column": column,
        "role": "score" if role == "score" else "baseline",
        "turned": turned,
        "pairs": order.pairs,
        "contents": order.contents,
        "share": order.share,
        "untied_pairs": order.untied_pairs,
        "untied_share": order.untied_share,
        "srcc": order.srcc,
        "intervals": {"share": order.share_interval, "srcc": order.srcc_interval},
    }
