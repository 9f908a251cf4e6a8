"""The fast path of a sidecar: many rows at once.

::

    plain ──▶ json_lines ──▶ tables.json.alike

`plain` reads columns as the row-by-row reader would, and `json_lines` makes columns of JSON Lines.
"""

from .plain import Plain, read_plain

__all__ = ["Plain", "read_plain"]
