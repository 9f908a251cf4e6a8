"""Tables of JSON objects: one per line, or one document.

::

    table ──▶ inference ──▶ pieces ──▶ alike      in
    sink                                          out

`pieces` are some rows at a time, and `alike` reads those that are spelled alike many times as fast.
"""

from .sink import JsonSink
from .table import JsonTable

__all__ = ["JsonSink", "JsonTable"]
