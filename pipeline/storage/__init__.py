"""Where bytes are: the one room that opens, lists, renames and removes files.

::

    lock         one run per batch and host
    journal      records to which each host adds lines
    textfiles    text, compressed by its suffix, in parts of a bounded size
      └──▶ writing      files that appear whole or not at all; temporary files of dead runs
             └──▶ files        what a file holds: bytes, digest, signature, description
                    └──▶ filenames    what exists, what a folder holds, what a path leads to

    formats            the format that a file's name announces
    dialect            delimiter, decimal mark and header of delimited text
    jsontext, schema   JSON in and out, and what violates a schema
"""

__all__ = [
    "dialect",
    "filenames",
    "files",
    "formats",
    "journal",
    "jsontext",
    "lock",
    "schema",
    "textfiles",
    "writing",
]
