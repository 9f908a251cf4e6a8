"""Which keys of a feature table and of a sidecar mean the same clips, and under which join options.

::

    readings ──▶ meeting ──▶ cuts       how many keys match; regexes that make more of them match
                    └──────▶ setting    the join options that are tried
"""

__all__ = [
    "cuts",
    "meeting",
    "readings",
    "setting",
]
