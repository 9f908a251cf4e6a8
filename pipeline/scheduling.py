"""Asking Luigi to run a batch: with the scheduler of this process, or as one worker of a luigid."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from typing import Any

import luigi
import pyarrow as pa
from luigi.rpc import RemoteScheduler, RPCError
from luigi.worker import TaskProcess, Worker

from pipeline.errors import SchedulerError
from pipeline.localscheduler import LocalScheduler
from pipeline.provenance import code_sha256, versions
from pipeline.tasks import BatchReport, JoinedTable

Watch = Callable[[str, bool], None]
"""Called with a table's id and whether it is complete, when Luigi says that it is done or has failed."""

# Luigi waits half a minute between three tries; a luigid that is started again is back within seconds.
_RPC_TRIES, _RPC_WAIT_SECONDS = 20, 1
_IDLE_SECONDS = 0.2
SMALL_BYTES = 1 << 18
"""What a table may read, as its files stand, and still be made sooner than a process for it can begin."""
# How a table failed is told by the verdict, not by a traceback.
logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)


def build(root: BatchReport, workers: int, scheduler: str | None, watch: Watch) -> None:
    """Have Luigi run the batch; what became of it is for its files to say.

    :param workers: number of processes that make tables; with 1 they are made in this one.
    :param scheduler: URL of a luigid; None: the local scheduler.
    :raises SchedulerError: the luigid does not answer.
    """
    if workers > 1:
        _warm_up()
    try:
        luigi.build(
            [root],
            worker_scheduler_factory=_Factory(watch),
            workers=workers,
            local_scheduler=scheduler is None,
            scheduler_url=scheduler or "",
            log_level="CRITICAL",
        )
    except RPCError as exc:
        raise SchedulerError(f"{scheduler}: no luigid answers; start it, or run without --scheduler") from exc
    _await_processes()


def forgive(scheduler: str, *, patient: bool = False) -> None:
    """Have a luigid forget failures of batches, which it would not let anyone try again for a day.

    :param patient: wait for a luigid that is being started again; at first contact, silence is an answer.

    :raises SchedulerError: the luigid does not answer.
    """
    luigid: Any = _CentralScheduler(scheduler, tries=_RPC_TRIES if patient else 1)
    try:
        for task in luigid.task_list(status="DISABLED", upstream_status=""):
            if task.startswith("second_opinion."):
                luigid.re_enable_task(task)
    except RPCError as exc:
        raise SchedulerError(f"{scheduler}: no luigid answers; start it, or run without --scheduler") from exc


def _warm_up() -> None:
    """Do once what each forked process would do again for its one table: a third of a second of imports."""
    pa.array([0])  # pyarrow looks for pandas when it makes its first array
    versions()
    code_sha256()


def _await_processes() -> None:
    """Wait for processes that have handed in their last table and are about to end: they still hold the lock."""
    for process in multiprocessing.active_children():
        if isinstance(process, TaskProcess):
            process.join()


class _Watched:
    """A scheduler that tells `watch` how each table ended."""

    watch: Watch

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """Pass on what the worker says of a task, and tell the watcher."""
        result = super().add_task(*args, **kwargs)  # type: ignore[misc]  # the scheduler that this is mixed into
        table = (kwargs.get("params") or {}).get("table")
        if table is not None and kwargs.get("status") in ("DONE", "FAILED"):
            self.watch(table, kwargs["status"] == "DONE")
        return result


class _LocalScheduler(_Watched, LocalScheduler):
    pass


class _CentralScheduler(_Watched, RemoteScheduler):
    def __init__(self, url: str, tries: int = _RPC_TRIES) -> None:
        super().__init__(url)
        # Luigi takes these two from a configuration file alone.
        self._rpc_retry_attempts = tries
        self._rpc_retry_wait = _RPC_WAIT_SECONDS

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """A table that failed is not tried again within the run: the same inputs fail the same way."""
        return super().add_task(*args, **kwargs | {"retry_policy_dict": {"retry_count": 1}})


class _Worker(Worker):
    """A worker that forks only where it pays.

    A process of its own takes a table 40 ms of processor time, whatever its size, and this one 8 ms to fork it; to
    join 100 rows here takes 8 ms. So small tables, and the report, for which all else waits, are made in this one.
    """

    def _create_task_process(self, task: BatchReport | JoinedTable) -> TaskProcess:
        process: TaskProcess = super()._create_task_process(task)
        asked = process.timeout_time is not None or self._config.force_multiprocessing
        if process.use_multiprocessing and not asked:
            process.use_multiprocessing = isinstance(task, JoinedTable) and task.input_bytes() > SMALL_BYTES
        return process


class _Factory:
    """What luigi.build asks for its scheduler and worker."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def create_local_scheduler(self) -> Any:
        """A scheduler in this process."""
        return self._watching(_LocalScheduler())

    def create_remote_scheduler(self, url: str) -> Any:
        """The luigid at `url`."""
        return self._watching(_CentralScheduler(url))

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> _Worker:
        """A worker with that many processes; one of a luigid stays while another one is at the batch."""
        central = isinstance(scheduler, _CentralScheduler)
        return _Worker(
            scheduler=scheduler,
            worker_processes=worker_processes,
            assistant=assistant,
            keep_alive=central,
            wait_interval=_IDLE_SECONDS,
            wait_jitter=_IDLE_SECONDS,
        )

    def _watching(self, scheduler: Any) -> Any:
        scheduler.watch = self._watch
        return scheduler
