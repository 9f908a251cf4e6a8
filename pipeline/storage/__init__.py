"""Files: the only room that opens, lists, renames and removes them.

::

    lock         one run per batch and host
    journal      records to which each host adds lines
    outbox       lines that a process and its children leave to be passed on
    textfiles    text, compressed by its suffix, in parts of a bounded size
      └──▶ writing      writes files whole or not at all; removes temporary files of dead runs
             └──▶ files        the content of a file: bytes, digest, signature, description
                    └──▶ filenames    which paths exist, names in a folder, targets of links

    formats            the format of a file by its name
    dialect            delimiter, decimal mark and header of delimited text
    jsontext, schema   JSON in and out, and checks against a schema
"""

__all__ = [
    "dialect",
    "filenames",
    "files",
    "formats",
    "journal",
    "jsontext",
    "lock",
    "outbox",
    "schema",
    "textfiles",
    "writing",
]
