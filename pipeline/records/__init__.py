"""Records of what was built and read, for reports and later runs.

::

    receipts ──────▶ materialized    one joined table: inputs, outputs, coverage
       │                  │
       └──────────────────┴────────▶ snapshots    a file's digest, and whether it may have changed since
       what was built, and how it failed, in journals beside the report

    provenance ────▶ versions        which code built a table: semantics, libraries, sources
       digests, versions and arguments as documents show them
"""

__all__ = [
    "materialized",
    "provenance",
    "receipts",
    "snapshots",
    "versions",
]
