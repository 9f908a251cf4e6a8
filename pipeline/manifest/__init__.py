"""Reads a manifest: JSON -> a frozen, checked batch. No other room sees the JSON.

::

    batch ──▶ entries ──▶ options         how one table is joined
      │          ├──────▶ declarations    scorers, evidence
      │          ├──────▶ patterns        * and ** in paths
      │          └──────▶ field_paths, regexes
      └────▶ clashes                      files with two uses, such as input and output

    families                              what a column measures, by the words of its name
"""

__all__ = [
    "batch",
    "clashes",
    "declarations",
    "entries",
    "families",
    "field_paths",
    "options",
    "patterns",
    "regexes",
]
