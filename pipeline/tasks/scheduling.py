"""Running tasks of a batch with Luigi: with a scheduler in this process, or as one worker of a luigid."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Generic, TypeVar

import luigi
import pyarrow as pa
from luigi.rpc import RPCError

from ..errors import BatchError, InputMissingError, SchedulerError, SecondOpinionError
from ..manifest.batch import Batch
from ..records.versions import code_sha256, versions
from ..storage import files, writing
from ..storage.locations import Location
from ..storage.shared.lock import holding
from .interruption import interruptible
from .luigi_internals import RPC_TRIES, CentralScheduler, Factory, Watch, await_processes
from .shared import BatchTask

POLL_SECONDS = 0.2
State = TypeVar("State")

# The verdict reports why a table failed; Luigi's traceback is not shown.
logging.getLogger("luigi-interface").setLevel(logging.CRITICAL)

_LOST = (RPCError, HTTPException, ConnectionError)
"""What Luigi raises if a luigid is stopped, or its answer breaks off."""

_FOREIGN = (*_LOST, OSError, ValueError, LookupError, TypeError, AttributeError)
"""What Luigi raises if a server does not answer as a luigid would."""


@dataclass(frozen=True)
class Work(Generic[State]):
    """Tasks of a batch, and how their state is read from its files.

    Attributes:
        batch: the batch, as its manifest was read.
        root: the task that requires all others.
        written: every file that the tasks may write.
        read: reads the state; called each time Luigi has nothing left to do.
        is_open: whether another worker of the luigid may still change that state, given the seconds since Luigi first
            had nothing left to do.
        watch: called with a table's id and whether it is complete, as each ends.
    """

    batch: Batch
    root: BatchTask
    written: Sequence[Location]
    read: Callable[[], State]
    is_open: Callable[[State, float], bool]
    watch: Watch


@contextlib.contextmanager
def held(batch: Batch, scheduler: str | None) -> Iterator[None]:
    """Hold the batch in this block, and have signals end it cleanly.

    :raises BatchBusyError: another run holds the batch.
    """
    with holding(batch.lock, shared=scheduler is not None), interruptible():
        yield


def complete(work: Work[State], workers: int, scheduler: str | None) -> State:
    """Have Luigi run the tasks until each is complete or known to fail; returns the state that is then read.

    :param workers: number of processes; with 1 this process does all.
    :param scheduler: URL of a luigid; None: the scheduler in this process.
    :raises SchedulerError: the luigid does not answer.
    :raises BatchError: the manifest was changed meanwhile.
    """
    writing.sweep(work.written)
    if scheduler is not None:
        _forgive(work.root, scheduler, tries=1)
    state = _build(work, workers, scheduler)
    began = time.monotonic()
    while scheduler is not None and work.is_open(state, time.monotonic() - began):
        time.sleep(POLL_SECONDS)  # nothing reports that another worker has ended, or died
        _forgive(work.root, scheduler, tries=RPC_TRIES)  # it may be a luigid that is being restarted
        state = _build(work, workers, scheduler)
    writing.sweep(work.written)  # of workers that died beside this one
    return state


def is_running(root: BatchTask, scheduler: str | None) -> bool:
    """Whether a worker of the luigid runs a task of the batch; without a luigid there is no other worker.

    :raises SchedulerError: the luigid does not answer.
    """
    if scheduler is None:
        return False
    with _answering(scheduler, _FOREIGN):
        running = CentralScheduler(scheduler).with_status("RUNNING").values()
        return any(_is_of_batch(params, root) for params in running)


def _build(work: Work[State], workers: int, scheduler: str | None) -> State:
    """Have Luigi run the tasks once; whether they are complete is then read from the files."""
    if workers > 1:
        _warm_up()
    try:
        with _answering(scheduler, _LOST):
            luigi.build(
                [work.root],
                worker_scheduler_factory=Factory(work.watch),
                workers=workers,
                local_scheduler=scheduler is None,
                scheduler_url=scheduler or "",
                log_level="CRITICAL",
            )
    except SecondOpinionError:  # of a task that read the manifest again, and found it invalid
        _check_manifest(work.batch)
        raise
    await_processes()
    _check_manifest(work.batch)
    return work.read()


def _check_manifest(batch: Batch) -> None:
    """:raises BatchError: the manifest is no longer the one that was read; tables may be joined by either version."""
    with contextlib.suppress(InputMissingError):
        if files.digest(batch.manifest) == batch.sha256:
            return
    raise BatchError(f"{batch.manifest}: the manifest changed while the batch ran; run again")


def _forgive(root: BatchTask, scheduler: str, tries: int) -> None:
    """Have a luigid forget failures of the batch, which it would not let anyone try again for a day.

    :raises SchedulerError: the luigid does not answer.
    """
    with _answering(scheduler, _FOREIGN):
        luigid = CentralScheduler(scheduler, tries)
        for task, params in luigid.with_status("DISABLED").items():
            if _is_of_batch(params, root):
                luigid.enable(task)


@contextlib.contextmanager
def _answering(scheduler: str | None, silence: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn these exceptions into the error of a luigid that does not answer."""
    try:
        yield
    except silence as exc:
        if scheduler is None:
            raise
        raise SchedulerError(f"{scheduler}: no luigid answers; start it, or run without --scheduler") from exc


def _is_of_batch(params: Mapping[str, str], root: BatchTask) -> bool:
    """Whether a task with these parameters belongs to the batch of `root`."""
    own = root.to_str_params()
    return all(params.get(name) == own.get(name) for name in BatchTask.BATCH_PARAMETERS)


def _warm_up() -> None:
    """Do once what each forked process would repeat for its one table: a third of a second of imports."""
    pa.array([0])  # pyarrow looks for pandas when it makes its first array
    versions()
    code_sha256()
