"""A score file, in whatever shape a scorer wrote it -> score records in columns.

::

    read ──▶ blocks                  plain JSON Lines and Parquet, many rows at once
      ├────▶ scores ──▶ fields       one row: its scorer, key, score, status
      ├────▶ record                  the score record, as a row and in columns
      ├────▶ rows ──▶ shapes         JSON documents
      │         ├───▶ delimited_rows, parquet_rows
      │         └───▶ numbers
      └────▶ duplicates              keys that a scorer has twice
"""

__all__ = [
    "blocks",
    "delimited_rows",
    "duplicates",
    "fields",
    "numbers",
    "parquet_rows",
    "read",
    "record",
    "rows",
    "scores",
    "shapes",
]
