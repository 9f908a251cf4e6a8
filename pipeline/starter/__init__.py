"""A first manifest for a folder of feature tables and sidecars, to be edited and run.

::

    folder ──samples──▶ a few rows of each file ──inspection──▶ feature table, sidecar or neither, and why
                                                                    │
                    manifest ◀──draft── tables with options ◀──proposal──┴── meeting: which keys meet, and how
"""

from pipeline.starter.draft import Started, write_starter

__all__ = ["Started", "write_starter"]
