"""The sections of a table's audit, each built from what the manifest declares of the table.

::

    build ──▶ order, categories                        contents; corpora and categories
      ├─────▶ disagreement, ceiling, rating_agreement   reference metric; ratings
      └─────▶ scores                                    scores beside labels, with the fitted curve
"""

__all__ = [
    "build",
    "categories",
    "ceiling",
    "disagreement",
    "order",
    "rating_agreement",
    "scores",
]
