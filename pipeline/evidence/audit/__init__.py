"""What joined tables cover, and how each signal correlates with the label.

::

    build ──▶ signals                    which column is what
      ├─────▶ association ──▶ baseline    correlation with the label, beyond the baseline too
      ├─────▶ findings ──▶ leaks          what a reader should check; scores that are the label, rows that repeat
      ├─────▶ sections                    order within contents, categories, disagreement, ratings
      └─────▶ plots                       the points of the page's figures
"""

__all__ = [
    "association",
    "baseline",
    "build",
    "findings",
    "leaks",
    "plots",
    "sections",
    "signals",
]
