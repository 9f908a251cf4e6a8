"""Objects of a store (S3, Google Cloud Storage, Azure): what the other files do for a URI instead of a path.

::

    stream, upload      the bytes of an object, read by ranges; written while they are made
      └──▶ store       one question to the store at a time: what is there, a listing, a range of bytes, a whole object
             ├──▶ client      the process that asks, and the connections to it
             │      └╌╌▶ helper      what runs in that process; it alone imports obstore
             └──▶ paths       URIs, and paths made of them
"""

from .paths import SCHEMES, ObjectPath, is_uri, uri_fault, without_credentials
from .store import (
    Conflict,
    Found,
    below,
    forget,
    in_parallel,
    keep,
    listed,
    look,
    put,
    read,
    release,
    remove,
    seen_once,
)
from .stream import ObjectStream
from .upload import Upload

__all__ = [
    "SCHEMES",
    "Conflict",
    "Found",
    "ObjectPath",
    "ObjectStream",
    "Upload",
    "below",
    "forget",
    "in_parallel",
    "is_uri",
    "keep",
    "listed",
    "look",
    "put",
    "read",
    "release",
    "remove",
    "seen_once",
    "uri_fault",
    "without_credentials",
]
