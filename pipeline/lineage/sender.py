"""The thread that passes events from the outbox to the OpenLineage client."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ..storage.shared.outbox import Outbox
from . import events
from .ledger import Ledger

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient

LIMIT_SECONDS = 3.0
"""How long a run waits at its end for the catalogue to take the last events."""

_POLL_SECONDS = 0.1


class Sender(threading.Thread):
    """Sends what is in an outbox, until the first failure. The run does not wait for it before its end.

    Attributes:
        problem: why it has given up; empty while it works.
    """

    def __init__(self, outbox: Outbox) -> None:
        """:raises Exception: the client is not installed, or cannot use its configuration."""
        super().__init__(name="lineage", daemon=True)
        self.problem = ""
        self._outbox = outbox
        self._client = _client()
        self._ledger = Ledger()
        self._finishing, self._stopped = threading.Event(), threading.Event()

    def run(self) -> None:
        """Send until no more can come."""
        try:
            while True:
                finishing = self._finishing.is_set()
                self._send()
                if finishing or self._stopped.is_set():
                    return
                self._finishing.wait(_POLL_SECONDS)
        except Exception as exc:  # each transport raises its own
            self.problem = f"{type(exc).__name__}: {exc}"

    def finish(self) -> str:
        """Wait until all is sent, at most LIMIT_SECONDS; returns the problem, or nothing."""
        self._finishing.set()
        self.join(LIMIT_SECONDS)
        self._stopped.set()
        if self.is_alive():
            return f"no answer within {LIMIT_SECONDS:g} s"
        return self.problem

    def _send(self) -> None:
        self._ledger.take(self._outbox.read())
        for name, event in list(self._ledger.pending.items()):
            if self._stopped.is_set():
                return
            self._client.emit(events.of_json(event))
            self._outbox.append({"sent": name})
            self._ledger.pending.pop(name, None)


def _client() -> OpenLineageClient:
    """The client as its user has configured it. It is imported here, before there are threads and child processes."""
    from openlineage.client import OpenLineageClient

    for name in (
        "openlineage",
        "urllib3",
    ):  # a warning of theirs is not printed unless an application wants it
        logging.getLogger(name).addHandler(logging.NullHandler())
    return OpenLineageClient()
