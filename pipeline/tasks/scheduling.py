"""Asking Luigi to run a batch: with the scheduler of this process, or as one worker of a luigid."""

from __future__ import annotations

import json
import logging
import multiprocessing
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

import luigi
import pyarrow as pa
from luigi.interface import core
from luigi.rpc import RemoteScheduler, RPCError
from luigi.worker import TaskProcess, Worker, worker

from pipeline.errors import SchedulerError
from pipeline.records.versions import code_sha256, versions
from pipeline.tasks import interruption
from pipeline.tasks.graph import BatchTask
from pipeline.tasks.localscheduler import LocalScheduler

Watch = Callable[[str, bool], None]
"""Called with a table's id and whether it is complete, when Luigi says that it is done or has failed."""

Told = Callable[[str, str], None]
"""Called with a table's id and what its task said of its failure; not for one whose process was ended."""

# Luigi waits half a minute between three tries; a luigid that is started again is back within seconds.
_RPC_TRIES, _RPC_WAIT_SECONDS = 20, 1
_IDLE_SECONDS = 0.2
# How a table failed is told by the verdict, not by a traceback.
logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)


def build(
    root: BatchTask, workers: int, scheduler: str | None, watch: Watch, told: Told | None = None
) -> None:
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
            worker_scheduler_factory=_Factory(watch, told or (lambda _table, _said: None)),
            workers=workers,
            local_scheduler=scheduler is None,
            scheduler_url=scheduler or "",
            log_level="CRITICAL",
        )
    except RPCError as exc:
        raise _silent(scheduler) from exc
    _await_processes()


def read_settings() -> None:
    """Have Luigi read all of its configuration that a run will.

    :raises configparser.Error: a file is none of its kind.
    :raises ValueError: an option is not of its type.
    """
    core()
    worker()
    _LocalScheduler()
    _CentralScheduler("http://localhost")


def forgive(root: BatchTask, scheduler: str, *, patient: bool = False) -> None:
    """Have a luigid forget failures of the batch, which it would not let anyone try again for a day.

    :param patient: wait for a luigid that is being started again; at first contact, silence is an answer.

    :raises SchedulerError: the luigid does not answer.
    """
    luigid: Any = _CentralScheduler(scheduler, tries=_RPC_TRIES if patient else 1)
    try:
        for task, known in luigid.task_list(status="DISABLED", upstream_status="").items():
            if _places(known["params"]) == _places(root.to_str_params()):
                luigid.re_enable_task(task)
    except (RPCError, AttributeError, LookupError, TypeError) as exc:  # or it answers what no luigid would
        raise _silent(scheduler) from exc


def is_running(root: BatchTask, scheduler: str) -> bool:
    """Whether a worker of the luigid is at a task of the batch.

    :raises SchedulerError: the luigid does not answer.
    """
    luigid: Any = _CentralScheduler(scheduler)
    try:
        running = luigid.task_list(status="RUNNING", upstream_status="").values()
        return any(_places(task["params"]) == _places(root.to_str_params()) for task in running)
    except (RPCError, AttributeError, LookupError, TypeError) as exc:
        raise _silent(scheduler) from exc


def _silent(scheduler: str | None) -> SchedulerError:
    return SchedulerError(f"{scheduler}: no luigid answers; start it, or run without --scheduler")


def _places(params: Mapping[str, str]) -> list[str | None]:
    """What tells the tasks of one batch from those of another."""
    return [params.get(name) for name in BatchTask.BATCH_PARAMETERS]


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
    """A scheduler that tells `watch` how each table ended, and `told` why one failed."""

    watch: Watch
    told: Told

    def get_work(self, *args: Any, **kwargs: Any) -> Any:
        """The task to run next, unless the user has asked for an end."""
        interruption.check()
        return super().get_work(*args, **kwargs)  # type: ignore[misc]  # as below

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """Pass on what the worker says of a task, and tell the watcher."""
        interruption.check()
        result = super().add_task(*args, **kwargs)  # type: ignore[misc]  # the scheduler that this is mixed into
        table = (kwargs.get("params") or {}).get("table")
        if table is not None and kwargs.get("status") in ("DONE", "FAILED"):
            said = json.loads(kwargs.get("expl") or "null")
            if said and not said.startswith(f"Task {kwargs['task_id']} "):  # which are Luigi's words
                self.told(table, said)
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

    def _request(self, *args: Any, **kwargs: Any) -> Any:
        """Take a server that does not speak as luigid does for one that does not answer."""
        try:
            return super()._request(*args, **kwargs)
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as exc:
            raise RPCError(str(exc), exc) from exc

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """A table that failed is not tried again within the run: the same inputs fail the same way."""
        changed = (
            {"family": _node_name(kwargs["family"], kwargs.get("params") or {})} if "family" in kwargs else {}
        )
        return super().add_task(*args, **kwargs | {"retry_policy_dict": {"retry_count": 1}} | changed)


def _node_name(family: str, params: Mapping[str, str]) -> str:
    """What luigid's visualiser calls a task, which is its family and no more: the same for all tables of a batch.

    The table is added as it is given to Luigi, since the visualiser shows the name as part of a command. Other workers
    do not load tasks by it, as luigid gives a task only to those that know it.
    """
    return family if "table" not in params else f"{family} --table {params['table']}"


class _Worker(Worker):
    """A worker that forks only where it pays.

    A process of its own takes a table 40 ms of processor time, whatever its size, and this one 8 ms to fork it; to
    join 100 rows here takes 8 ms. So small tables, and the report, for which all else waits, are made in this one.
    """

    def _create_task_process(self, task: BatchTask) -> TaskProcess:
        process: TaskProcess = super()._create_task_process(task)
        asked = process.timeout_time is not None or self._config.force_multiprocessing
        if process.use_multiprocessing and not asked:
            process.use_multiprocessing = task.pays_a_process()
        return process


class _Factory:
    """What luigi.build asks for its scheduler and worker."""

    def __init__(self, watch: Watch, told: Told) -> None:
        self._watch, self._told = watch, told

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
            # Luigi's, for SIGUSR1, which only the main thread may install
            no_install_shutdown_handler=threading.current_thread() is not threading.main_thread(),
        )

    def _watching(self, scheduler: Any) -> Any:
        scheduler.watch, scheduler.told = self._watch, self._told
        return scheduler
