"""All that the project uses of Luigi beyond its documented interface, in one file.

`tests/tasks/test_luigi_internals.py` has one test per private name, which says what breaks if a Luigi release changes
it. The classes add three things to Luigi's own: a scheduler in this process that is fast for thousands of tables, a
message to the caller as each table ends, and a worker that forks only for tables that are worth a process.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from luigi.configuration import get_config
from luigi.interface import core
from luigi.rpc import RemoteScheduler
from luigi.scheduler import Scheduler
from luigi.task_status import DONE, FAILED, PENDING
from luigi.worker import TaskProcess, Worker, worker

from ..storage import files
from ..storage.objects import seen_before
from . import interruption

if TYPE_CHECKING:
    from .shared import BatchTask

Watch = Callable[[str, bool], None]
"""Called with a table's id and whether it is complete, when Luigi reports that it is done or has failed."""

# Luigi waits half a minute between three tries; a luigid that is restarted is back within seconds.
RPC_TRIES, _RPC_WAIT_SECONDS = 20, 1
_IDLE_SECONDS = 0.2

LOOK_AGAIN_SECONDS = 1.0
"""Minimum time between two passes of the local scheduler over all of its tasks."""


class LocalScheduler(Scheduler):
    """Luigi's scheduler for one worker, which learns of a table only when it could start it.

    Each time a worker requests work, Luigi's scheduler walks the whole graph to prune it, counts all tasks that are
    pending or have failed, and sorts them. If all tables are registered at once, it takes 1.5 s to give out 1,000 of
    them and 82 s for 5,000; registered one at a time, 0.05 s and 0.25 s. Luigi still decides which task runs, what must
    be done before it, and what is tried again.

    Nor does it learn of inputs and tables that were complete before: it would look at each of them in every pass.

    No task may have a higher priority than the tasks that it requires. If a Luigi release changes these calls, all
    tasks are registered at once, which is correct but slow.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(prune_on_get_work=True, record_task_history=False, **settings)
        self._unregistered: list[tuple[float, int, dict[str, Any]]] = []
        self._number = itertools.count()
        self._registered: set[str] = set()
        self._complete: set[str] = set()
        self._prune_at = self._count_at = -math.inf
        self._counted: dict[str, Any] = {}

    def add_task(self, *args: Any, **task: Any) -> Any:
        """Register a task's status; a task that is to run waits until all of a higher priority were given out."""
        if args:
            return super().add_task(*args, **task)
        if task["status"] == DONE and task["task_id"] not in self._registered:
            self._complete.add(task["task_id"])
            return None
        self._complete.discard(task["task_id"])
        if task["status"] != PENDING or not task.get("runnable"):
            return self._register(task)
        heapq.heappush(self._unregistered, (-task.get("priority", 0), next(self._number), task))
        return None

    def get_work(self, *args: Any, **request: Any) -> Any:
        """The task to run next, as Luigi chooses."""
        self._register_next()
        while (reply := super().get_work(*args, **request))["task_id"] is None and self._unregistered:
            self._register_next()  # every registered task waits for one that has not run
        return reply

    def prune(self) -> None:
        """Run Luigi's prune at most once per LOOK_AGAIN_SECONDS."""
        if time.monotonic() >= self._prune_at:
            super().prune()
            self._prune_at = time.monotonic() + LOOK_AGAIN_SECONDS

    def count_pending(self, worker: str) -> dict[str, Any]:
        """The number of registered tasks that wait, for Luigi's messages; up to LOOK_AGAIN_SECONDS old."""
        if time.monotonic() >= self._count_at:
            self._counted = super().count_pending(worker)
            self._count_at = time.monotonic() + LOOK_AGAIN_SECONDS
        return dict(self._counted)

    def _register_next(self) -> None:
        """Register the task that Luigi would rank first of those not registered yet."""
        if self._unregistered:
            task = heapq.heappop(self._unregistered)[-1]
            self._register(
                task | {"deps": [*itertools.filterfalse(self._complete.__contains__, task.get("deps") or ())]}
            )

    def _register(self, task: dict[str, Any]) -> Any:
        self._registered.add(task["task_id"])
        return super().add_task(**task)


class _Watched:
    """A scheduler that reports to `watch` how each table ended."""

    watch: Watch

    def get_work(self, *args: Any, **kwargs: Any) -> Any:
        """The task to run next, unless the user interrupted the run."""
        interruption.check()
        return super().get_work(*args, **kwargs)  # type: ignore[misc]  # as below

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """Pass on what the worker reports of a task, and report a table that ended."""
        interruption.check()
        result = super().add_task(*args, **kwargs)  # type: ignore[misc]  # the scheduler that this is mixed into
        params = kwargs.get("params") or {}
        is_part = "part" in params or "shard" in params
        if "table" in params and kwargs.get("status") in ((FAILED,) if is_part else (DONE, FAILED)):
            self.watch(params["table"], kwargs["status"] == DONE)
        return result


class WatchedLocalScheduler(_Watched, LocalScheduler):
    """The scheduler of a run without a luigid."""


class CentralScheduler(_Watched, RemoteScheduler):
    """A luigid."""

    def __init__(self, url: str, tries: int = RPC_TRIES) -> None:
        super().__init__(url)
        # Luigi's configuration sets these two as well, but for the whole process, which may have other schedulers.
        self._rpc_retry_attempts = tries
        self._rpc_retry_wait = _RPC_WAIT_SECONDS

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """A table that failed is not tried again within the run, unless Luigi's configuration says how often.

        The same inputs fail the same way.
        """
        once = {} if _sets_retries() else {"retry_policy_dict": {"retry_count": 1}}
        changed = (
            {"family": _node_name(kwargs["family"], kwargs.get("params") or {})} if "family" in kwargs else {}
        )
        return super().add_task(*args, **kwargs | once | changed)

    def with_status(self, status: str) -> dict[str, Mapping[str, str]]:
        """The parameters of the luigid's tasks of a status, by the task's id."""
        luigid: Any = self  # Luigi adds these methods when it is imported
        tasks = luigid.task_list(status=status, upstream_status="")
        return {task: dict(known["params"]) for task, known in tasks.items()}

    def enable(self, task: str) -> None:
        """Have the luigid forget that a task failed."""
        luigid: Any = self
        luigid.re_enable_task(task)


def _sets_retries() -> bool:
    return any(get_config().has_option("scheduler", name) for name in ("retry_count", "retry-count"))


def _node_name(family: str, params: Mapping[str, str]) -> str:
    """The name of a task in luigid's visualiser, with its table and its shard, or its file.

    By itself the visualiser shows the family only, which is the same for all tables of a batch. The table is added as
    an argument of Luigi's command line, since the visualiser shows the name as part of a command. Other workers do not
    load tasks by this name, as luigid gives a task only to workers that registered it.
    """
    shown = (f"--{name} {params[name]}" for name in ("table", "shard", "part", "path") if name in params)
    return " ".join([family, *shown])


class ThriftyWorker(Worker):
    """A worker that forks only for tables that are worth a process.

    A process of its own takes a table 40 ms of processor time, whatever its size, and this one 8 ms to fork it; to
    join 100 rows here takes 8 ms. So this process joins small tables, and writes the report, for which all else waits.
    The choice is made for each task, as a batch of thousands of small tables may hold a large one.
    """

    forks_all = False
    """Whether Luigi's configuration wants a process for every task."""

    def add(self, task: BatchTask, *args: Any, **kwargs: Any) -> bool:
        """Schedule the tasks of a batch; stores are asked about all of their files together."""
        with files.seen_once(task.places()) as self._seen:
            return bool(super().add(task, *args, **kwargs))

    def _create_task_process(self, task: BatchTask) -> TaskProcess:
        process: TaskProcess = super()._create_task_process(task)
        process.run = functools.partial(_run, process, process.run)  # type: ignore[method-assign]  # of this one
        process.start = functools.partial(_start, process.start)  # type: ignore[method-assign]  # of this one
        required = self.forks_all or process.worker_timeout
        if process.use_multiprocessing and not required:
            with seen_before(self._seen):
                process.use_multiprocessing = task.is_worth_a_process()
        return process


def _start(start: Callable[[], None]) -> None:
    """Fork the process of a task; no signal ends either side meanwhile."""
    with interruption.deferred():
        start()


def _run(process: TaskProcess, run: Callable[[], None]) -> None:
    """Run a task, its checks included, with one look at each object of a store; in a new process, signals count again."""
    if process.use_multiprocessing:
        interruption.obey()
    with files.seen_once(process.task.places(), into=process.task.reads_all):
        run()


class Factory:
    """What `luigi.build` calls for its scheduler and worker."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def create_local_scheduler(self) -> Any:
        """A scheduler in this process."""
        return self._watched(WatchedLocalScheduler())

    def create_remote_scheduler(self, url: str) -> Any:
        """The luigid at `url`."""
        return self._watched(CentralScheduler(url))

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> ThriftyWorker:
        """A worker with that many processes; with a luigid it stays while another worker runs the batch."""
        created = ThriftyWorker(
            scheduler=scheduler,
            worker_processes=worker_processes,
            assistant=assistant,
            keep_alive=isinstance(scheduler, CentralScheduler) or worker().keep_alive,
            wait_interval=_IDLE_SECONDS,
            wait_jitter=_IDLE_SECONDS,
            # Luigi's, for SIGUSR1, which only the main thread may install
            no_install_shutdown_handler=threading.current_thread() is not threading.main_thread(),
        )
        created.forks_all = worker().force_multiprocessing
        return created

    def _watched(self, scheduler: Any) -> Any:
        scheduler.watch = self._watch
        return scheduler


def read_settings() -> None:
    """Have Luigi read all of its configuration that a run will.

    :raises configparser.Error: a file is not a configuration file.
    :raises ValueError: an option has the wrong type.
    """
    core()
    worker()
    WatchedLocalScheduler()
    CentralScheduler("http://localhost")


def await_processes() -> None:
    """Wait for processes that have reported their last table and are about to end: they still hold the lock."""
    for process in multiprocessing.active_children():
        if isinstance(process, TaskProcess):
            process.join()
