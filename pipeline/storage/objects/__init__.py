"""Objects of a store (S3, Google Cloud Storage, Azure): what `filenames` and `files` do for a URI instead of a path.

::

    stream      the bytes of an object, read by ranges
      └──▶ store       one question to the store at a time: what is there, a listing, a range of bytes
             ├──▶ client      the process that asks, and the connections to it
             │      └╌╌▶ helper      what runs in that process; it alone imports obstore
             └──▶ paths       URIs, and paths made of them
"""

from .paths import SCHEMES, ObjectPath, is_uri, uri_fault, without_credentials
from .store import Found, listed, look
from .stream import ObjectStream

__all__ = [
    "SCHEMES",
    "Found",
    "ObjectPath",
    "ObjectStream",
    "is_uri",
    "listed",
    "look",
    "uri_fault",
    "without_credentials",
]
