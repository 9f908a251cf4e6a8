"""Luigi's events of a task, passed on as the lineage of its run; the tasks themselves know nothing of it.

START, SUCCESS and FAILURE are triggered in the process that runs the task, the others in the one that schedules it.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, TypeVar

import luigi

from ..errors import SkippedError
from ..lineage import runs
from ..lineage.events import EndState
from ..lineage.settings import is_configured

if TYPE_CHECKING:
    from .graph import BatchTask

_Task = TypeVar("_Task", bound="type[BatchTask]")


def emit_lineage(kind: _Task) -> _Task:
    """Have the tasks of this class emit lineage; a decorator."""
    for event, handler in (
        (luigi.Event.DEPENDENCY_DISCOVERED, _scheduled),
        (luigi.Event.START, _started),
        (luigi.Event.SUCCESS, _succeeded),
        (luigi.Event.FAILURE, _failed),
        (luigi.Event.PROCESS_FAILURE, _died),
        (luigi.Event.TIMEOUT, _died),
    ):
        kind.event_handler(event)(handler)
    return kind


def _scheduled(task: BatchTask, _required: luigi.Task) -> None:
    """Begin the run of the batch where Luigi's own command runs it, before there are child processes."""
    if is_configured():
        runs.begin(task.batch, is_implicit=True)


def _started(task: BatchTask) -> None:
    if is_configured():
        if multiprocessing.parent_process() is None:
            runs.begin(task.batch, is_implicit=True)
        runs.task_started(task.batch, _table(task))


def _succeeded(task: BatchTask) -> None:
    if is_configured():
        runs.task_ended(task.batch, _table(task), "COMPLETE")


def _failed(task: BatchTask, exc: BaseException) -> None:
    if is_configured():
        interrupted = isinstance(exc, KeyboardInterrupt | SystemExit)
        state: EndState = "ABORT" if interrupted or isinstance(exc, SkippedError) else "FAIL"
        runs.task_ended(task.batch, _table(task), state, "interrupted" if interrupted else task.message(exc))


def _died(task: BatchTask, message: str) -> None:
    if is_configured():
        runs.task_ended(task.batch, _table(task), "FAIL", message)


def _table(task: BatchTask) -> str | None:
    return getattr(task, "table", None)
