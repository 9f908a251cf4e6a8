"""Running a batch with Luigi: with a scheduler in this process, or as one worker of a luigid."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import luigi
import pyarrow as pa
from luigi.rpc import RPCError

from pipeline.errors import SchedulerError
from pipeline.records.versions import code_sha256, versions
from pipeline.tasks.graph import BatchTask
from pipeline.tasks.luigi_internals import (
    RPC_TRIES,
    CentralScheduler,
    Factory,
    OnError,
    Watch,
    await_processes,
)

# The verdict reports why a table failed; Luigi's traceback is not shown.
logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)


def build(
    root: BatchTask, workers: int, scheduler: str | None, watch: Watch, on_error: OnError | None = None
) -> None:
    """Have Luigi run the batch; whether it is complete is then read from its files.

    :param workers: number of processes that join tables; with 1 this process joins them.
    :param scheduler: URL of a luigid; None: the local scheduler.
    :raises SchedulerError: the luigid does not answer.
    """
    if workers > 1:
        _warm_up()
    try:
        luigi.build(
            [root],
            worker_scheduler_factory=Factory(watch, on_error or (lambda _table, _message: None)),
            workers=workers,
            local_scheduler=scheduler is None,
            scheduler_url=scheduler or "",
            log_level="CRITICAL",
        )
    except RPCError as exc:
        raise _no_answer(scheduler) from exc
    await_processes()


def forgive(root: BatchTask, scheduler: str, *, patient: bool = False) -> None:
    """Have a luigid forget failures of the batch, which it would not let anyone try again for a day.

    :param patient: wait for a luigid that is being restarted; otherwise the first silence is an error.

    :raises SchedulerError: the luigid does not answer.
    """
    try:
        luigid = CentralScheduler(scheduler, tries=RPC_TRIES if patient else 1)
        for task, params in luigid.with_status("DISABLED").items():
            if _is_of_batch(params, root):
                luigid.enable(task)
    except RPCError as exc:
        raise _no_answer(scheduler) from exc


def is_running(root: BatchTask, scheduler: str) -> bool:
    """Whether a worker of the luigid runs a task of the batch.

    :raises SchedulerError: the luigid does not answer.
    """
    try:
        running = CentralScheduler(scheduler).with_status("RUNNING").values()
        return any(_is_of_batch(params, root) for params in running)
    except RPCError as exc:
        raise _no_answer(scheduler) from exc


def _no_answer(scheduler: str | None) -> SchedulerError:
    return SchedulerError(f"{scheduler}: no luigid answers; start it, or run without --scheduler")


def _is_of_batch(params: Mapping[str, str], root: BatchTask) -> bool:
    """Whether a task with these parameters belongs to the batch of `root`."""
    own = root.to_str_params()
    return all(params.get(name) == own.get(name) for name in BatchTask.BATCH_PARAMETERS)


def _warm_up() -> None:
    """Do once what each forked process would repeat for its one table: a third of a second of imports."""
    pa.array([0])  # pyarrow looks for pandas when it makes its first array
    versions()
    code_sha256()
