"""Finds out which files below a folder are feature tables or sidecars, with reasons.

::

    discovery ──▶ sampling ──▶ samples        the first rows of a file, flat
        │
        ├──────▶ inspection ──▶ fields        what the fields of these rows mean
        ├──────▶ maps                         objects that are maps from keys
        ├──────▶ grouping ──▶ clips, names    files of one clip each that form one sidecar
        ├──────▶ globs                        a pattern for these files
        │
        ▼
      found                                   the feature tables and sidecars
"""

__all__ = [
    "clips",
    "discovery",
    "fields",
    "found",
    "globs",
    "grouping",
    "inspection",
    "maps",
    "names",
    "samples",
    "sampling",
]
