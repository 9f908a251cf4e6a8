"""Files that several processes share: what they hold, and what they leave for each other.

::

    lock ──▶ lease                       one run per batch: a local file, an object
    journal, object_journal ──▶ records  records to which each host adds: in local files, in objects
    outbox                               lines that a process and its children leave to be passed on
"""

__all__ = ["journal", "lease", "lock", "object_journal", "outbox", "records"]
