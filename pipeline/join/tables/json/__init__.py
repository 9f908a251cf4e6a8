"""Tables of JSON objects: one per line, or one document.

::

    table ──▶ inference ──▶ pieces ──▶ alike, lines, value_types      in
    sink                                                              out

`pieces` are some rows at a time. `alike` reads those that are spelled alike, many times as fast as `lines` reads any.
"""

from .sink import JsonSink
from .table import JsonTable

__all__ = ["JsonSink", "JsonTable"]
