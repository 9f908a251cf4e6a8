"""What the lines of an outbox add up to: events to send, and runs without an end."""

from __future__ import annotations

from collections.abc import Iterable

from ..storage.jsontext import JsonObject


class Ledger:
    """The state of the runs in an outbox.

    Attributes:
        pending: the events that were not sent, by their key, in order.
        running: the START events of tasks' runs without an end, by run id.
    """

    def __init__(self, lines: Iterable[JsonObject] = ()) -> None:
        self.pending: dict[str, JsonObject] = {}
        self.running: dict[str, JsonObject] = {}
        self._ended: set[str] = set()
        self.take(lines)

    def take(self, lines: Iterable[JsonObject]) -> None:
        """Add lines: events, and marks of what was sent. Of two ends of a run the first counts."""
        for line in lines:
            if "sent" in line:
                self.pending.pop(line["sent"], None)
            else:
                self._take_event(line)

    def _take_event(self, event: JsonObject) -> None:
        run = event["run"]["runId"]
        if event["eventType"] == "START":
            if "parent" in event["run"]["facets"]:  # a batch's end may be in another outbox
                self.running[run] = event
        elif run in self._ended:
            return
        else:
            self._ended.add(run)
            self.running.pop(run, None)
        self.pending[key(event)] = event


def key(event: JsonObject) -> str:
    """What identifies an event: a run has one of each type."""
    return f"{event['run']['runId']} {event['eventType']}"
