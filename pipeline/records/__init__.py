"""What was made and seen: the facts that reports and later runs rest on.

::

    receipts        what was made, and how it failed, in journals beside the report
    materialized    one joined table: inputs, outputs, coverage
    snapshots       a file's digest, and whether it may have changed since
    provenance      digests, versions and arguments as documents show them
"""

__all__ = [
    "materialized",
    "provenance",
    "receipts",
    "snapshots",
]
