"""Files that several processes share: what they hold, and what they leave for each other.

::

    lock         one run per batch and host
    journal      records to which each host adds lines
    outbox       lines that a process and its children leave to be passed on
"""

__all__ = ["journal", "lock", "outbox"]
