"""Files: the only room that opens, lists, renames and removes them.

::

    shared/      files that several processes share: lock, journal, outbox
    textfiles    text, compressed by its suffix, in parts of a bounded size
      └──▶ writing/     writes files whole or not at all; removes temporary files of dead runs
             └──▶ files        the content of a file: bytes, digest, signature, description
                    └──▶ filenames    which paths exist, names in a folder, targets of links
                           └──▶ locations    where a file is: a local path, or a URI
                                  └──▶ objects/     what the others do, for objects of a store

    formats            the format of a file by its name
    dialect            delimiter, decimal mark and header of delimited text
    jsontext, schema   JSON in and out, and checks against a schema
"""

__all__ = [
    "dialect",
    "filenames",
    "files",
    "formats",
    "jsontext",
    "locations",
    "objects",
    "schema",
    "shared",
    "textfiles",
    "writing",
]
