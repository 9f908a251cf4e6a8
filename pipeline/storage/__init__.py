"""Where bytes are: whole-or-nothing writes, digests, locks; text, JSON and its schemas.

::

    files                 names, digests, writes that appear whole or not at all
    lock                  one run per batch and host
    textfiles, formats    text in parts of a bounded size; what a name says of a format
    dialect               delimiter, decimal mark and header of delimited text
    jsontext, schema      JSON in and out, and what breaks a schema
"""

__all__ = [
    "dialect",
    "files",
    "formats",
    "jsontext",
    "lock",
    "schema",
    "textfiles",
]
