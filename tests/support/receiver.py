"""A catalogue of lineage on loopback: it keeps the events that it gets."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]
ENDS = ("COMPLETE", "FAIL", "ABORT")


class Receiver(http.server.ThreadingHTTPServer):
    """The catalogue.

    Attributes:
        events: what it got, in order.
        answers: while cleared, it takes no event and does not answer.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[Event] = []
        self.answers = threading.Event()
        self.answers.set()

    @property
    def url(self) -> str:
        """What OPENLINEAGE_URL is set to."""
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, job: str) -> list[str]:
        """The types of the events of jobs whose name ends so, in order."""
        return [each["eventType"] for each in self.events if each["job"]["name"].endswith(job)]

    @property
    def batches(self) -> set[str]:
        """The run ids that are named as parents."""
        return {
            each["run"]["facets"]["parent"]["run"]["runId"]
            for each in self.events
            if "parent" in each["run"]["facets"]
        }

    def check_pairs(self) -> None:
        """Fail unless each run has exactly one START and one end."""
        starts = Counter(each["run"]["runId"] for each in self.events if each["eventType"] == "START")
        ends = Counter(each["run"]["runId"] for each in self.events if each["eventType"] in ENDS)
        assert starts
        assert starts == ends == Counter(dict.fromkeys(starts, 1))


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.answers.wait()
        receiver.events.append(json.loads(content))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what it got is in `events`."""


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A catalogue that listens beside the block."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.answers.set()
            receiver.shutdown()
            thread.join()
