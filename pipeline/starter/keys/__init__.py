"""Finds the join options under which keys of a feature table and of a sidecar match.

::

    readings ──▶ meeting ──▶ cuts       the number of keys that match; regexes under which more match
                    └──────▶ setting    the join options that are tried
"""

__all__ = [
    "cuts",
    "meeting",
    "readings",
    "setting",
]
