"""What joined tables cover, and how each signal correlates with the label.

::

    build ──▶ signals ──▶ families       which column is what
      ├─────▶ association ──▶ baseline    correlation with the label, beyond the baseline too
      ├─────▶ sections                    order within contents, categories, disagreement, ratings
      ├─────▶ findings                    what a reader should check
      └─────▶ plots                       the points of the page's figures
"""

__all__ = [
    "association",
    "baseline",
    "build",
    "families",
    "findings",
    "plots",
    "sections",
    "signals",
]
