"""Questions to a store: what is at a path, what is in a folder, a range of bytes."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, NoReturn

from ...errors import InputError, InputMissingError
from . import client
from .paths import INSTALL, ObjectPath

_REASONS = {
    "bucket": "found no such bucket; expected one that exists; check its name and the endpoint",
    "refused": "the store refuses it{status}; expected credentials that may read and list it; check the key, the secret "
    "and the permissions in the environment",
    "replaced": "the object was replaced while it was being read; run again when nothing writes to it",
    "busy": "the store is too busy or fails{status}, after retries; run again later, with fewer workers if need be",
    "unreachable": "the store cannot be reached, or cut the connection, after retries; check the endpoint and the "
    "network, and run again",
    "failed": "the store's answer cannot be used{status}; check the endpoint, the region and the credentials in the "
    "environment",
}


@dataclass(frozen=True)
class Found:
    """What a store says of an object, without its content.

    Attributes:
        size: number of bytes.
        etag: changes with the content; None: the store has none.
        tag: ETag and version, or the time of the last change where there is no ETag.
    """

    size: int
    etag: str | None
    tag: str


def look(path: ObjectPath) -> Found | None:
    """What the store says of the object; None: it is not there.

    :raises InputError: that cannot be found out; the bucket does not exist.
    """
    answer = _ask(path, ask="look", sure=path.root not in _there)
    _there.add(path.root)
    found = answer["found"]
    if found is None:
        return None
    marks = (found["etag"] or found["changed"], found["version"])
    return Found(found["size"], found["etag"], " ".join(filter(None, marks)))


def listed(folder: ObjectPath) -> tuple[list[str], list[str]]:
    """The names of the objects and of the folders in a folder, each sorted.

    :raises InputError: it cannot be listed.
    """
    answer = _ask(folder, ask="list")
    return sorted(answer["names"]), sorted(answer["folders"])


def read_range(path: ObjectPath, etag: str | None, start: int, into: memoryview) -> None:
    """Fill `into` with the bytes of the object from `start` on.

    :param etag: the object's when it was first seen.
    :raises InputError: it cannot be read, or was replaced since then.
    """
    answer = _ask(path, into, ask="read", etag=etag, start=start, stop=start + len(into))
    if answer["bytes"] != len(into):
        raise InputError(f"{path}: {_REASONS['replaced']}")


_there: set[str] = set()
"""The buckets that are known to exist."""


def _ask(path: ObjectPath, into: memoryview | None = None, **question: Any) -> dict[str, Any]:
    if importlib.util.find_spec("obstore") is None:
        raise InputError(f"{path}: cannot be read: to read from object stores: {INSTALL}")
    named = {"scheme": path.scheme, "bucket": path.bucket, "key": path.key}
    try:
        answer = client.ask(named | question, into)
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc}; run again") from exc
    if "failure" in answer:
        _raise(path, answer)
    return answer


def _raise(path: ObjectPath, answer: dict[str, Any]) -> NoReturn:
    failure = answer["failure"]
    if failure == "missing":
        raise InputMissingError(f"{path}: the object is not there")
    status = " ".join(str(each) for each in (answer["status"], answer["code"]) if each)
    reason = _REASONS[failure].format(status=f" ({status or answer['kind']})")
    raise InputError(f"{path}: {'' if failure == 'replaced' else 'cannot be read: '}{reason}")
