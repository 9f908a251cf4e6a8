"""An object that is written: small ones at once, larger ones in parts while they are made."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

from ...errors import OutputError
from . import client, seen, store
from .paths import ObjectPath
from .store import Found

_WHOLE_BYTES = 1 << 23
"""What is no larger is written at once, and carries its digest."""


class Upload:
    """The upload of one object; it is there when `complete` has returned, or not at all.

    Attributes:
        found: what the store says of the object; None: it is not complete.
    """

    def __init__(self, path: ObjectPath) -> None:
        self.found: Found | None = None
        self._path = path
        self._held = bytearray()
        self._size = 0
        self._stream: client.Stream | None = None
        self._copy: str | None = None
        self._parts: list[Any] = []

    def copy(self, source: ObjectPath, size: int) -> bool:
        """Begin with the first bytes of another object, in the store; False: it cannot, and nothing has happened."""
        found = seen.look(source)
        begun = store.copy(self._path, source, found.etag, size) if found and found.etag else None
        if begun is not None:
            (self._copy, self._parts), self._size = begun, size
        return begun is not None

    def write(self, block: memoryview) -> None:
        """Append bytes.

        :raises OutputError: what asks the stores has died.
        """
        self._held += block
        self._size += len(block)
        if len(self._held) > _WHOLE_BYTES:
            self._send()

    def complete(self, sha256: str) -> None:
        """Have the object appear.

        :param sha256: the digest of all bytes.
        :raises OutputError: it cannot be written.
        """
        if self._copy is not None:
            if self._held:
                self._send()
            self._take(store.complete_copy(self._path, self._copy, self._parts, self._size))
            self._copy = None
            return
        if self._stream is None:
            self._take(store.put(self._path, bytes(self._held), {"sha256": sha256}))
            return
        if self._held:
            self._send()
        stream, self._stream = self._stream, None
        try:
            answer = stream.complete()
        except OSError as exc:
            raise store.died(self._path, exc, writes=True) from exc
        if "failure" in answer:
            store.refuse(self._path, answer, writes=True)
        self._take(store.written(self._path, answer, self._size))

    def abort(self) -> None:
        """End without an object, unless it is complete."""
        if self._stream is not None:
            self._stream.abort()
            self._stream = None
        if self._copy is not None:
            with contextlib.suppress(OutputError):  # the first error counts
                store.abort_copy(self._path, self._copy)
            self._copy = None

    def _take(self, found: Found) -> None:
        self.found = found
        seen.take_written(self._path, found)

    def _send(self) -> None:
        if self._copy is not None:
            number = len(self._parts) + 1
            self._parts.append(store.add_part(self._path, bytes(self._held), self._copy, number))
            self._held = bytearray()
            return
        try:
            if self._stream is None:
                question = store.question_to(
                    self._path, ask="put", attributes={"upload": secrets.token_hex(8)}
                )
                self._stream = client.Stream(question)
            self._stream.write(self._held)
        except OSError as exc:
            self._stream = None
            raise store.died(self._path, exc, writes=True) from exc
        self._held = bytearray()
