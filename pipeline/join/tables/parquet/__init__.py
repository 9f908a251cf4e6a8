"""Parquet in and out; features are copied as they are where nothing has to change.

::

    table                          a feature table, read row group by row group
    append ──▶ footer ──▶ thrift   features copied, new columns behind them, one footer for both
    sink                           everything written anew
      └──▶ schema_entries ──▶ pandas_entry   metadata that repeats the schema
      └──▶ kinds                   what a file says of its columns beyond their storage
"""

__all__ = [
    "append",
    "footer",
    "kinds",
    "pandas_entry",
    "schema_entries",
    "sink",
    "table",
    "thrift",
]
