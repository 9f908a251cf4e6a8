"""URIs of objects, and paths made of them."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath, relpath

from ...errors import show

SCHEMES = ("s3", "gs", "az")
INSTALL = "pip install 'second-opinion[objects]'"
"""How to install what reads and writes objects."""

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def is_uri(name: str) -> bool:
    """True if a name is a URI of any scheme, and so no local path."""
    return _URI.match(name) is not None


def uri_fault(uri: str) -> str | None:
    """What is wrong with a URI: what was found, what is expected. None: nothing. It repeats no credentials."""
    parts = _URI.fullmatch(uri)
    scheme, rest = (parts["scheme"], parts["rest"]) if parts else ("", uri)
    bucket, _, key = rest.partition("/")
    if (shown := without_credentials(uri)) != uri:
        return f"found credentials or a query in {show(shown)}; expected neither in a URI; set them in the environment"
    if scheme not in SCHEMES:
        return (
            f"found {show(uri)}; expected a path, or a URI with {', '.join(f'{each}://' for each in SCHEMES)}"
        )
    if not _BUCKET.fullmatch(bucket):
        return f"found {show(uri)}; expected the name of a bucket after {scheme}://"
    if {"", ".", ".."} & set(key.split("/")) or not key.isprintable():
        return f"found {show(uri)}; expected the name of an object, with no empty part, no . and no .."
    if importlib.util.find_spec("obstore") is None:
        return f"found {show(uri)}; to use object stores: {INSTALL}"
    return None


def without_credentials(uri: str) -> str:
    """The URI with `***` for what is before an @ in its second part, and for what is after a question mark."""
    shown = re.sub(r"\A([^:/]+:/+)[^/]*@", r"\1***@", uri, count=1)
    return re.sub(r"\?.*", "?***", shown, count=1, flags=re.DOTALL)


@dataclass(frozen=True)
class ObjectPath:
    """The URI of an object or of a folder of objects, with what rooms use of a `Path`.

    Attributes:
        scheme: `s3`, `gs` or `az`.
        bucket: the bucket, or container.
        key: the name in the bucket, taken literally; without a slash at its end.
    """

    scheme: str
    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str) -> ObjectPath:
        """The path of a URI that has no fault."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        return cls(scheme, bucket, key.rstrip("/"))

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self._pure.name

    @property
    def stem(self) -> str:
        """The last part of the key without its suffix."""
        return self._pure.stem

    @property
    def suffix(self) -> str:
        """The suffix of the last part of the key, such as `.gz`."""
        return self._pure.suffix

    @property
    def suffixes(self) -> list[str]:
        """All suffixes of the last part of the key."""
        return self._pure.suffixes

    @property
    def parent(self) -> ObjectPath:
        """The folder."""
        return ObjectPath(self.scheme, self.bucket, self.key.rpartition("/")[0])

    @property
    def root(self) -> str:
        """Scheme and bucket."""
        return f"{self.scheme}://{self.bucket}"

    def with_name(self, name: str) -> ObjectPath:
        """The path beside this one whose last part is `name`."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> ObjectPath:
        """The path with another suffix of its last part."""
        return self.with_name(self._pure.with_suffix(suffix).name)

    def relative_to(self, folder: ObjectPath) -> str:
        """The name of this path as a manifest in `folder` may give it; the whole URI if that is in another bucket."""
        if folder.root != self.root:
            return str(self)
        return relpath(f"/{self.key}", f"/{folder.key}")

    def __truediv__(self, name: str) -> ObjectPath:
        """The path that `name` leads to from here, `.` and `..` as in a path of folders that are no links."""
        return ObjectPath(self.scheme, self.bucket, normpath(f"/{self.key}/{name}").lstrip("/"))

    def __str__(self) -> str:
        return f"{self.root}/{self.key}" if self.key else self.root

    @property
    def _pure(self) -> PurePosixPath:
        return PurePosixPath(self.key)
