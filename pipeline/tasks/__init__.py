"""Luigi: the tasks of a batch, their targets, and the running of both.

::

    run ──▶ scheduling ──▶ luigi_internals       a batch from its manifest to its verdict
     │          ├────────▶ graph ──▶ inputs, targets   JoinedTable, BatchReport
     │          │            └──▶ shared     what all tasks of a batch are
     │          └────────▶ interruption          Ctrl-C, SIGTERM
     │          └────────▶ lineage_events    Luigi's events of these tasks, passed on as lineage
     └────▶ runlog                               times and memory, which no report contains

No other room but `evidence` imports luigi; `luigi_internals` holds all that is not Luigi's documented interface.
"""

__all__ = [
    "graph",
    "inputs",
    "interruption",
    "lineage_events",
    "luigi_internals",
    "run",
    "runlog",
    "scheduling",
    "shared",
    "targets",
]
