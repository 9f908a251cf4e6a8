"""Tables of delimited text, CSV and TSV: cells are text, and stay unchanged unless a typed output is requested.

::

    table ──▶ reading ──▶ census ──▶ numbers       in
      └─────▶ beginning, records
    sink                                           out

`records` gives batches of text cells. `numbers` reads those that are numbers alone, many times as fast as the patterns of
`census` tell any.
"""

from .beginning import Beginning, read_beginning
from .sink import DelimitedSink
from .table import DelimitedTable

__all__ = ["Beginning", "DelimitedSink", "DelimitedTable", "read_beginning"]
