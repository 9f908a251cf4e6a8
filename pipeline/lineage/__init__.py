"""Lineage: what a batch did, as OpenLineage events; only if the OpenLineage client is configured.

::

    runs ──▶ events ──▶ datasets     a run of the batch, a run per task; START, then COMPLETE, FAIL or ABORT
     └─────▶ sender ──▶ ledger       a thread passes events on to the client; what was sent, what is open
     └─────▶ settings                whether the client is configured

Tasks write events to an outbox in the state folder (`storage.shared.outbox`). Nothing there waits for a catalogue, and a run
whose process died is ended by whoever finds its outbox. Nothing here raises: a batch does not depend on its lineage.
"""

__all__ = ["datasets", "events", "ledger", "runs", "sender", "settings"]
