"""Questions to a store: what is at a path, what is in a folder, a range of bytes; and writing of whole objects."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from ...errors import BatchError, InputError, InputMissingError, OutputError
from . import client
from .paths import INSTALL, ObjectPath

_Answer = TypeVar("_Answer")
_AT_ONCE = 16
_REASONS = {
    "bucket": "found no such bucket; expected one that exists; check its name and the endpoint",
    "refused": "the store refuses it{status}; expected credentials that may {doing} it; check the key, the secret and "
    "the permissions in the environment",
    "replaced": "the object was replaced while it was being read; run again when nothing writes to it",
    "clock": "the store refuses it{status}; expected a clock that is as late as the store's; set this host's clock",
    "busy": "the store is too busy or fails{status}, after retries; run again later, with fewer workers if need be",
    "unreachable": "the store cannot be reached, or cut the connection, after retries; check the endpoint and the "
    "network, and run again",
    "failed": "the store's answer cannot be used{status}; check the endpoint, the region and the credentials in the "
    "environment",
}


class Conflict(Exception):  # a race that was lost, which the caller expects
    """An object is there that must be absent, or has been replaced since it was read."""


@dataclass(frozen=True)
class Found:
    """What a store says of an object, without its content.

    Attributes:
        size: number of bytes.
        etag: changes with the content; None: the store has none.
        changed: time of the last change by the store's clock, seconds since the epoch.
    """

    size: int
    etag: str | None
    changed: float

    @property
    def tag(self) -> str:
        """The ETag, or the time of the last change where there is none. Listings have no versions, so neither has this."""
        return self.etag or str(self.changed)


_there: set[str] = set()
"""The buckets that are known to exist."""


def look(path: ObjectPath) -> Found | None:
    """What the store says of the object; None: it is not there.

    :raises InputError: that cannot be found out; the bucket does not exist.
    """
    answer = _ask(path, ask="look", sure=path.root not in _there)
    _there.add(path.root)
    return _found(answer["found"])


def look_into(path: ObjectPath, size: int) -> tuple[Found | None, bytes]:
    """What the store says of the object, and its first bytes, at most `size`; as `look`."""
    answer = _ask(path, ask="look_into", sure=path.root not in _there, size=size)
    _there.add(path.root)
    return _found(answer["found"]), answer["content"]


def in_parallel(do: Callable[[ObjectPath], _Answer], paths: Iterable[ObjectPath]) -> list[_Answer]:
    """What `do` returns for each path, some at a time."""
    each = [*paths]
    if len(each) < 2:  # one needs no threads
        return [do(path) for path in each]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return [*threads.map(do, each)]


def listed(folder: ObjectPath) -> tuple[dict[str, Found], list[str]]:
    """The objects in a folder by their names there, and the names of its folders, each sorted.

    :raises InputError: it cannot be listed.
    """
    answer = _ask(folder, ask="list")
    objects = {name: Found(**answer["objects"][name]) for name in sorted(answer["objects"])}
    return objects, sorted(answer["folders"])


def below(folder: ObjectPath, most: int | None = None) -> tuple[dict[ObjectPath, Found], bool]:
    """The objects below a folder, those of deeper folders too, and whether these are all.

    :param most: about how many are wanted; None: all.
    :raises InputError: it cannot be listed.
    """
    answer = _ask(folder, ask="below", most=most)
    found = answer["objects"].items()
    return {ObjectPath(folder.scheme, folder.bucket, key): Found(**each) for key, each in found}, answer[
        "all"
    ]


def read_range(path: ObjectPath, etag: str | None, start: int, into: memoryview) -> None:
    """Fill `into` with the bytes of the object from `start` on.

    :param etag: the object's when it was first seen.
    :raises InputError: it cannot be read, or was replaced since then.
    """
    answer = _ask(path, into=into, ask="read", etag=etag, start=start, stop=start + len(into))
    if answer["bytes"] != len(into):
        raise InputError(f"{path}: {_REASONS['replaced']}")


def read(path: ObjectPath) -> tuple[bytes, Found]:
    """A whole object as it is now, and what the store says of it.

    :raises InputMissingError: it is not there.
    :raises InputError: it cannot be read.
    """
    answer = _ask(path, ask="get")
    return answer["content"], Found(**answer["found"])


def put(
    path: ObjectPath,
    content: bytes,
    attributes: Mapping[str, str] | None = None,
    *,
    absent: bool = False,
    etag: str | None = None,
) -> Found:
    """Write a whole object.

    :param attributes: metadata of the object.
    :param absent: only if there is none.
    :param etag: only if it is still the one with this ETag.
    :raises Conflict: it is there, or has been replaced.
    :raises OutputError: it cannot be written.
    """
    given = dict(attributes or {})
    answer = _ask(path, content, writes=True, ask="put", attributes=given, absent=absent, etag=etag)
    return written(path, answer, len(content))


def written(path: ObjectPath, answer: Mapping[str, Any], size: int) -> Found:
    """What the store says of an object that it has just taken."""
    found = Found(size, answer["etag"], 0.0)
    return found if found.etag is not None else look(path) or found


def remove(paths: Iterable[ObjectPath]) -> None:
    """Remove objects, if they are there.

    :raises OutputError: that cannot be done.
    """
    by_bucket: defaultdict[ObjectPath, list[str]] = defaultdict(list)
    for path in paths:
        by_bucket[ObjectPath(path.scheme, path.bucket, "")].append(path.key)
    for bucket, keys in by_bucket.items():
        _ask(bucket, writes=True, ask="remove", keys=keys)


def copy(path: ObjectPath, source: ObjectPath, etag: str, size: int) -> tuple[str, list[Any]] | None:
    """Begin the upload of an object with the first bytes of another one, in the store.

    :returns: the id of the upload and its parts; None: the store cannot do that.
    """
    if source.root != path.root:
        return None
    answer = _ask(path, writes=True, ask="copy", source=source.key, etag=etag, size=size)
    return (answer["upload"], answer["parts"]) if answer["upload"] else None


def add_part(path: ObjectPath, content: bytes, upload: str, number: int) -> Any:
    """Add a part to such an upload; gives what `complete_copy` needs of it."""
    return _ask(path, content, writes=True, ask="add", upload=upload, number=number)["part"]


def complete_copy(path: ObjectPath, upload: str, parts: list[Any], size: int) -> Found:
    """Have the object of such an upload appear."""
    return written(path, _ask(path, writes=True, ask="complete", upload=upload, parts=parts), size)


def abort_copy(path: ObjectPath, upload: str) -> None:
    """End such an upload without an object."""
    _ask(path, writes=True, ask="abort", upload=upload)


def keep(path: ObjectPath, content: bytes, etag: str | None, seconds: float) -> str:
    """Have an object written again every so many seconds until `release`; gives the name of that lease."""
    answer = _ask(path, content, writes=True, ask="keep", etag=etag, seconds=seconds)
    return str(answer["lease"])


def release(path: ObjectPath, content: bytes, lease: str) -> None:
    """End a lease, and remove its object."""
    _ask(path, content, writes=True, ask="release", lease=lease)


def _found(described: Mapping[str, Any] | None) -> Found | None:
    return None if described is None else Found(**described)


def question_to(path: ObjectPath, **question: Any) -> dict[str, Any]:
    """A question about an object.

    :raises BatchError: what asks the stores is not installed.
    """
    if importlib.util.find_spec("obstore") is None:
        raise InputError(f"{path}: to use object stores: {INSTALL}")
    return {"scheme": path.scheme, "bucket": path.bucket, "key": path.key} | question


def _ask(
    path: ObjectPath,
    content: bytes = b"",
    into: memoryview | None = None,
    *,
    writes: bool = False,
    **question: Any,
) -> dict[str, Any]:
    asked = question_to(path, **question)
    try:
        answer = client.ask(asked, content, into)
    except OSError as exc:
        raise died(path, exc, writes=writes) from exc
    if "failure" in answer:
        refuse(path, answer, writes=writes)
    return answer


def died(path: ObjectPath, exc: OSError, *, writes: bool) -> BatchError:
    """The error if there is no answer."""
    error = OutputError if writes else InputError
    return error(f"{path}: cannot be {'written' if writes else 'read'}: {exc}; run again")


def refuse(path: ObjectPath, answer: Mapping[str, Any], *, writes: bool) -> NoReturn:
    """:raises BatchError: always: the failure that the answer holds, in words."""
    failure = answer["failure"]
    if writes and failure in ("exists", "replaced"):
        raise Conflict
    if not writes and failure == "missing":
        raise InputMissingError(f"{path}: the object is not there")
    status = " ".join(str(each) for each in (answer["status"], answer["code"]) if each)
    reason = _REASONS.get(failure, _REASONS["failed"]).format(
        status=f" ({status or answer['kind']})", doing="write" if writes else "read and list"
    )
    if writes:
        raise OutputError(f"{path}: cannot be written: {reason}")
    raise InputError(f"{path}: {'' if failure == 'replaced' else 'cannot be read: '}{reason}")
