"""Proposes a first manifest for a folder of feature tables and sidecars; users edit it and run it.

::

    draft ──▶ files       folder ──▶ feature tables and sidecars, by the first rows of each file
      ├─────▶ proposal    sidecars paired with feature tables, each table previewed
      │          ├──────▶ keys      which keys match, and under which join options
      │          └──────▶ evidence  the label, the content and the baseline, by names and first rows
      └─────▶ sharding    tables that are shards of one table
"""

from .draft import Started, write_starter

__all__ = ["Started", "write_starter"]
