"""Luigi: the tasks of a batch, their targets, and the running of both.

::

    run ──▶ scheduling ──▶ localscheduler        a batch from its manifest to its verdict
     │          └────────▶ graph ──▶ targets     JoinedTable, BatchReport
     ├────▶ interruption                         Ctrl-C, SIGTERM
     └────▶ runlog                               times and memory, which nothing cites

No other room but `evidence` imports luigi.
"""

__all__ = [
    "graph",
    "interruption",
    "localscheduler",
    "run",
    "runlog",
    "scheduling",
    "targets",
]
