"""JSON -> a frozen, checked batch; no other room sees a raw manifest.

::

    batch ──▶ entries ──▶ options         how one table is joined
      │          ├──────▶ declarations    scorers, evidence
      │          ├──────▶ patterns        * and ** in paths
      │          └──────▶ field_paths, regexes
      └────▶ clashes                      files that would be two things at once
"""

__all__ = [
    "batch",
    "clashes",
    "declarations",
    "entries",
    "field_paths",
    "options",
    "patterns",
    "regexes",
]
