"""What joined tables cover, and how each signal correlates with the label.

::

    build ──▶ signals                    which column is what
      ├─────▶ association ──▶ baseline    correlation with the label, beyond the baseline too
      ├─────▶ findings                    what a reader should check
      └─────▶ plots                       the points of the page's figures
"""

__all__ = [
    "association",
    "baseline",
    "build",
    "findings",
    "plots",
    "signals",
]
