"""A lock in a store: an object that is there while it is renewed.

Whoever holds it alone has put it there while it was absent. Whoever shares it has an object of its own beside it. The
process that asks the stores renews it, and removes it when the run has ended, in whatever way; if the whole host has
ended, others take it over when it is old. How old it is is measured by the store's clock alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterator

from ...errors import BatchBusyError, InputMissingError, OutputError, UsageError, show
from .. import objects
from ..objects import Found, ObjectPath

SINGLE_WRITER = "SECOND_OPINION_SINGLE_WRITER"
"""Set: the user says that no other run writes to the store, which may then lack conditional writes."""

_LEASE_SECONDS = "SECOND_OPINION_LEASE_SECONDS"
_USUAL_SECONDS = 30.0
_RENEWALS = 3
"""A lease is renewed so many times before it would be old."""


@contextlib.contextmanager
def leasing(path: ObjectPath, *, shared: bool) -> Iterator[None]:
    """Hold the lock at `path`, see `lock.holding`."""
    if os.environ.get(SINGLE_WRITER):
        yield
        return
    own = path.with_name(f"{path.name}.shared") / secrets.token_hex(8) if shared else path
    content = _content()
    etag = objects.put(own, content).etag if shared else _taken(own, content)
    lease = objects.keep(own, content, etag, _seconds() / _RENEWALS)
    try:
        _refuse_others(path, own, content)
        yield
    finally:
        with contextlib.suppress(OutputError):  # of a store that does not answer; the lease is old soon
            objects.release(own, content, lease)


def _taken(path: ObjectPath, content: bytes) -> str | None:
    """Put the lock there, if it is absent or old; gives its ETag.

    :raises BatchBusyError: another run holds it.
    :raises UsageError: the store lacks what a lock needs.
    """
    try:
        etag = objects.put(path, content, absent=True).etag
    except objects.Conflict:
        etag = _taken_over(path, content)
    _check_conditions(path, content)
    return etag


def _taken_over(path: ObjectPath, content: bytes) -> str | None:
    try:
        held, found = objects.read(path)
    except InputMissingError:  # its holder has just ended
        return _put_or_busy(path, content, None)
    if not _is_old(path, found):
        raise _busy(path, held)
    return _put_or_busy(path, content, found.etag)


def _put_or_busy(path: ObjectPath, content: bytes, etag: str | None) -> str | None:
    try:
        return objects.put(path, content, absent=etag is None, etag=etag).etag
    except objects.Conflict:
        raise _busy(path, b"") from None


def _check_conditions(path: ObjectPath, content: bytes) -> None:
    """:raises UsageError: the store writes what it was asked not to write."""
    for condition, asked in (("if absent", {"absent": True}), ("if unchanged", {"etag": '"0"'})):
        try:
            objects.put(path, content, **asked)
        except objects.Conflict:
            continue
        objects.remove([path])
        raise UsageError(
            f"{path}: the store of {path.root} has written an object that was to be written only {condition}; expected "
            "a store with conditional writes; use another, or --assume-single-writer if no other run uses this batch"
        )


def _refuse_others(path: ObjectPath, own: ObjectPath, content: bytes) -> None:
    """:raises BatchBusyError: another run holds the lock in a way that does not allow this one."""
    others = [path] if own != path else objects.below(path.with_name(f"{path.name}.shared"))
    for other in others:
        with contextlib.suppress(InputMissingError):
            held, found = objects.read(other)
            if held == content:
                continue
            if not _is_old(other, found):
                raise _busy(path, held)
            objects.remove([other])


def _is_old(path: ObjectPath, found: Found) -> bool:
    """Whether nobody has renewed a lease for its whole time; a new object shows the time at the store."""
    probe = path.with_name(f"{path.name}.{secrets.token_hex(8)}.now")
    objects.put(probe, b"")
    try:
        now = objects.read(probe)[1]
    finally:
        objects.remove([probe])
    return now.changed - found.changed > _seconds()


def _busy(path: ObjectPath, held: bytes) -> BatchBusyError:
    try:
        holder = json.loads(held)
        named = f"process {holder['pid']} on {show(holder['host'])}"
    except (ValueError, KeyError, TypeError):
        named = "another run"
    return BatchBusyError(
        f"{path}: {named} holds this batch; wait for it, or stop it; if its host has ended, this takes {_seconds():g} s"
    )


def _content() -> bytes:
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "run": secrets.token_hex(8)}
    return json.dumps(holder).encode("ascii") + b"\n"


def _seconds() -> float:
    """The time for which a lease that is not renewed holds."""
    try:
        return max(1.0, float(os.environ.get(_LEASE_SECONDS, "")))
    except ValueError:
        return _USUAL_SECONDS
