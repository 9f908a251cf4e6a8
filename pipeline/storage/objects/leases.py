"""Objects that say who holds something, written again and again until the holder ends.

Like `helper`, which loads it, this file imports nothing of the package.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from typing import Any


class _Lease:
    """One such object."""

    def __init__(self, store: Any, key: str, content: bytes, etag: str | None, seconds: float) -> None:
        self._store, self._key, self._content, self._etag = store, key, content, etag
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, args=[seconds], daemon=True)
        self._renewing.start()

    def _renew(self, seconds: float) -> None:
        import obstore

        while not self._over.wait(seconds):
            mode: Any = {"e_tag": self._etag} if self._etag else None
            try:
                self._etag = obstore.put(self._store, self._key, self._content, mode=mode)["e_tag"]
            except (obstore.exceptions.PreconditionError, FileNotFoundError):
                return  # somebody has taken it over
            except Exception:  # noqa: BLE001, RUF100, S112  # a store that does not answer now may answer soon
                continue

    def end(self) -> None:
        """Renew it no more, and remove it if it is still the holder's."""
        self._over.set()
        self._renewing.join()
        _remove_own(self._store, self._key, self._content)


_kept: dict[str, _Lease] = {}


def keep(store: Any, key: str, content: bytes, etag: str | None, seconds: float) -> str:
    """Renew an object every so many seconds, until it is released or the last who could ask has ended.

    :returns: the name of the lease.
    """
    name = uuid.uuid4().hex
    _kept[name] = _Lease(store, key, content, etag, seconds)
    return name


def release(store: Any, key: str, content: bytes, name: str) -> None:
    """End a lease, also one that another process has kept, which has died."""
    lease = _kept.pop(name, None)
    if lease is None:
        _remove_own(store, key, content)
    else:
        lease.end()


def end_all() -> None:
    """End all leases."""
    for name in [*_kept]:
        _kept.pop(name).end()


def _remove_own(store: Any, key: str, content: bytes) -> None:
    import obstore

    with contextlib.suppress(Exception):  # one that is left is old soon
        if obstore.get(store, key).bytes() == content:
            obstore.delete(store, key)
