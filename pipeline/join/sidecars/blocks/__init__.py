"""The fast path of a sidecar: many rows at once.

::

    plain ──▶ json_lines ──▶ alike

`plain` reads columns as the row-by-row reader would, `json_lines` makes columns of JSON Lines, and `alike` does so for
rows that are spelled alike.
"""

from .plain import Plain, read_plain

__all__ = ["Plain", "read_plain"]
