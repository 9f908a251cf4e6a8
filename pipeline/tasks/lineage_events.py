"""Luigi's events of a task, passed on as the lineage of its run.

A task says what it reads and writes (`lineage_datasets`), and triggers BEGUN once it has found that there is work to do. BEGUN,
SUCCESS and FAILURE are triggered in the process that runs the task, the others in the one that schedules it.
"""

from __future__ import annotations

import functools
import multiprocessing
from typing import TYPE_CHECKING, TypeVar

import luigi

from ..lineage import runs
from ..lineage.settings import is_configured

if TYPE_CHECKING:
    from .shared import BatchTask

BEGUN = "event.second_opinion.begun"
"""A task's work begins. Luigi's own START also comes where another worker has already done the work."""

_Task = TypeVar("_Task", bound="type[BatchTask]")


def emit_lineage(kind: _Task) -> _Task:
    """Have the tasks of this class emit lineage; a decorator."""
    for event, handler in (
        (luigi.Event.DEPENDENCY_DISCOVERED, _scheduled),
        (BEGUN, _begun),
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
        if not hasattr(task, "table"):
            runs.expect(task.batch, task.lineage_name)


def _begun(task: BatchTask) -> None:
    if is_configured():
        if multiprocessing.parent_process() is None:
            runs.begin(task.batch, is_implicit=True)
        runs.task_started(task.batch, task.lineage_name, functools.partial(task.lineage_datasets, done=False))


def _succeeded(task: BatchTask) -> None:
    if runs.is_open():
        described = functools.partial(task.lineage_datasets, done=True)
        runs.task_ended(task.batch, task.lineage_name, "COMPLETE", describe=described)


def _failed(task: BatchTask, exc: BaseException) -> None:
    """End the run with its error. A process that another has ended says nothing: that one knows why."""
    if runs.is_open() and isinstance(exc, Exception):
        runs.task_ended(task.batch, task.lineage_name, "FAIL", task.message(exc))


def _died(task: BatchTask, message: str) -> None:
    if runs.is_open():
        runs.task_died(task.batch, task.lineage_name, message)
