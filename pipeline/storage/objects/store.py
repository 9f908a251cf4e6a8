"""Questions to a store: what is at a path, what is in a folder, a range of bytes; and writing of whole objects."""

from __future__ import annotations

import contextlib
import importlib.util
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from ...errors import BatchError, InputError, InputMissingError, OutputError
from . import client
from .paths import INSTALL, ObjectPath

_Answer = TypeVar("_Answer")
_AT_ONCE = 16
_MIN_LISTED = 4  # fewer paths of a folder are looked at one by one
_MAX_LISTED_TIMES, _MAX_LISTED = 20, 2000
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


class _Seen:
    """What was seen in a block of `seen_once`.

    Attributes:
        objects: what is at a path; None: nothing.
        folders: all paths below a folder.
    """

    def __init__(self) -> None:
        self.objects: dict[ObjectPath, Found | None] = {}
        self.folders: dict[ObjectPath, set[ObjectPath]] = {}

    def take(self, path: ObjectPath, found: Found | None) -> None:
        """Remember what is at a path."""
        self.objects[path] = found

    def take_written(self, path: ObjectPath, found: Found) -> None:
        """Remember an object that this process has written."""
        self.objects[path] = found
        for folder, paths in self.folders.items():
            if str(path).startswith(f"{folder}/"):
                paths.add(path)

    def drop(self, path: ObjectPath) -> None:
        """Forget a path."""
        self.objects.pop(path, None)
        for paths in self.folders.values():
            paths.discard(path)


_seen: _Seen | None = None
_there: set[str] = set()
"""The buckets that are known to exist."""


def look(path: ObjectPath) -> Found | None:
    """What the store says of the object; None: it is not there.

    :raises InputError: that cannot be found out; the bucket does not exist.
    """
    if _seen is not None and path in _seen.objects:
        return _seen.objects[path]
    answer = _ask(path, ask="look", sure=path.root not in _there)
    _there.add(path.root)
    found = _found(answer["found"])
    _remember(path, found)
    return found


@contextlib.contextmanager
def seen_once(paths: Iterable[ObjectPath] = ()) -> Iterator[None]:
    """Look at an object once in this block, whoever asks; what is written in the block is looked at again.

    :param paths: objects that will be looked at. Those of one folder are listed together.
    """
    global _seen  # noqa: PLW0603, RUF100  # of the whole process, as threads look at the same objects
    before, _seen = _seen, _Seen()
    try:
        with contextlib.suppress(InputError):  # whoever asks for the object gets the error
            _survey(paths)
        yield
    finally:
        _seen = before


def _survey(paths: Iterable[ObjectPath]) -> None:
    """Look at many objects with few requests."""
    by_folder: defaultdict[ObjectPath, set[ObjectPath]] = defaultdict(set)
    for path in paths:
        by_folder[path.parent].add(path)
    single: list[ObjectPath] = []
    for folder, wanted in by_folder.items():
        most = max(_MAX_LISTED, _MAX_LISTED_TIMES * len(wanted))
        objects: Mapping[str, Any] = {}
        is_all = False
        if len(wanted) >= _MIN_LISTED:
            listing = _ask(folder, ask="below", most=most)
            objects, is_all = listing["objects"], listing["all"]
        for path in wanted:
            if path.key in objects or is_all:
                _remember(path, _found(objects.get(path.key)))
            else:
                single.append(path)
    in_parallel(look, single)


def _remember(path: ObjectPath, found: Found | None) -> None:
    if _seen is not None:
        _seen.take(path, found)


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
    for name, found in objects.items():
        _remember(folder / name, found)
    return objects, sorted(answer["folders"])


def below(folder: ObjectPath) -> list[ObjectPath]:
    """The objects below a folder, sorted; those of deeper folders too.

    :raises InputError: it cannot be listed.
    """
    for known, paths in [] if _seen is None else _seen.folders.items():
        if folder == known or str(folder).startswith(f"{known}/"):
            return sorted((path for path in paths if str(path).startswith(f"{folder}/")), key=str)
    answer = _ask(folder, ask="below", most=None)
    paths = {ObjectPath(folder.scheme, folder.bucket, key) for key in answer["objects"]}
    if _seen is not None:
        _seen.folders[folder] = paths
    return sorted(paths, key=str)


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
    if found.etag is None:
        forget(path)
        return look(path) or found
    if _seen is not None:
        _seen.take_written(path, found)
    return found


def remove(paths: Iterable[ObjectPath]) -> None:
    """Remove objects, if they are there.

    :raises OutputError: that cannot be done.
    """
    by_bucket: defaultdict[ObjectPath, list[str]] = defaultdict(list)
    for path in paths:
        forget(path)
        by_bucket[ObjectPath(path.scheme, path.bucket, "")].append(path.key)
    for bucket, keys in by_bucket.items():
        _ask(bucket, writes=True, ask="remove", keys=keys)


def keep(path: ObjectPath, content: bytes, etag: str | None, seconds: float) -> str:
    """Have an object written again every so many seconds until `release`; gives the name of that lease."""
    answer = _ask(path, content, writes=True, ask="keep", etag=etag, seconds=seconds)
    return str(answer["lease"])


def release(path: ObjectPath, lease: str) -> None:
    """End a lease, and remove its object."""
    _ask(path, writes=True, ask="release", lease=lease)


def forget(path: ObjectPath) -> None:
    """Look at the object again when it is next asked for."""
    if _seen is not None:
        _seen.drop(path)


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
