"""Objects of a store (S3, Google Cloud Storage, Azure): what the other files do for a URI instead of a path.

::

    stream, upload      the bytes of an object, read by ranges; written while they are made
      └──▶ seen        what is known of objects for some time, so that the store is asked once
             └──▶ store       one question to the store at a time: what is there, a listing, a range of bytes, a whole object
                    ├──▶ client      the process that asks, and the connections to it
                    │      └╌╌▶ helper      what runs in that process, with `copies` and `leases`: these import obstore and botocore
                    └──▶ paths       URIs, and paths made of them
"""

from .paths import SCHEMES, ObjectPath, is_uri, uri_fault, without_credentials
from .seen import Seen, below, forget, listed, look, put, remove, seen_before, seen_once
from .store import Conflict, Found, in_parallel, keep, read, release
from .stream import ObjectStream
from .upload import Upload

__all__ = [
    "SCHEMES",
    "Conflict",
    "Found",
    "ObjectPath",
    "ObjectStream",
    "Seen",
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
    "seen_before",
    "seen_once",
    "uri_fault",
    "without_credentials",
]
