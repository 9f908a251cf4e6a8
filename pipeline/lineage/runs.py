"""Runs: one of the batch, shared by all processes that run it at once, and one of each task.

::

    state folder/lineage/  lock         one process at a time begins or ends its part
                           batch.json   the START of the batch's run, while that is open
                           *.jsonl      an outbox per process
                           *.left       an outbox whose process has ended its part

The first process begins the run of the batch, the last ends it. A process that died is found by its outbox.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec

from ..errors import BatchError, SecondOpinionError
from ..manifest.batch import Batch
from ..report.freshness import BatchCheck
from ..storage import filenames, files, jsontext, writing
from ..storage.jsontext import JsonObject
from ..storage.shared import outbox
from ..storage.shared.outbox import Outbox
from . import events
from .events import Datasets, EndState
from .ledger import Ledger
from .sender import Sender
from .settings import is_configured

MAX_LEFT_BYTES = 1 << 26
"""An abandoned outbox above this size is dropped: its catalogue has not answered for many runs."""

_FOLDER, _SHARED = "lineage", "batch.json"
_DIED = "its process was ended from outside, or ran out of memory"
_UNFINISHED = "ended before the task had"
_Parameters = ParamSpec("_Parameters")


@dataclass
class _BatchRun:
    """The part that this process takes in the run of a batch."""

    outbox: Outbox
    parent: JsonObject
    sender: Sender
    is_implicit: bool
    process: int = field(default_factory=os.getpid)
    begun: dict[str, JsonObject] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)


_current: dict[Path, _BatchRun] = {}
_problems: dict[Path, str] = {}
"""By the state folder of a batch, as are the runs."""


def _harmless(function: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Keep the exceptions of `function` from the batch, which is its first argument; the first is kept as its problem."""

    @functools.wraps(function)
    def call(*args: _Parameters.args, **named: _Parameters.kwargs) -> None:
        try:
            function(*args, **named)
        except Exception as exc:  # whatever it is: no batch fails because of its lineage
            batch = args[0]
            if isinstance(batch, Batch):
                _problems.setdefault(_state_dir(batch), f"{type(exc).__name__}: {exc}")

    return call


@contextlib.contextmanager
def batch_run(batch: Batch) -> Iterator[None]:
    """A run of the batch in this block, which calls `end`; an exception ends it too."""
    begin(batch)
    try:
        yield
    except BaseException as exc:
        known = isinstance(exc, SecondOpinionError)
        end(
            batch,
            "FAIL" if isinstance(exc, Exception) else "ABORT",
            str(exc) if known else type(exc).__name__,
        )
        raise


@_harmless
def begin(batch: Batch, is_implicit: bool = False) -> None:
    """Begin the run of the batch, or join it if another process has begun it.

    :param is_implicit: nothing calls `end`: the last of the tasks that `expect` names ends the run, or the end of
        this process does.
    """
    state_dir = _state_dir(batch)
    if state_dir in _current or state_dir in _problems or not is_configured():
        return
    folder = state_dir / _FOLDER
    with outbox.alone(folder):
        own = Outbox.create(folder)
        try:
            sender = Sender(own)
            parent = _share(batch, own)
        except Exception:
            own.remove()
            raise
    _current[state_dir] = _BatchRun(own, parent, sender, is_implicit)
    sender.start()
    if is_implicit:
        atexit.register(_end_implicit, batch)


def is_open() -> bool:
    """Whether this process takes part in the run of any batch."""
    return bool(_current)


@_harmless
def expect(batch: Batch, task: str) -> None:
    """Keep an implicit run of the batch open until the task has ended."""
    run = _current.get(_state_dir(batch))
    if run is not None:
        run.expected.add(task)


@_harmless
def task_started(batch: Batch, task: str, describe: Callable[[], Datasets]) -> None:
    """Begin the run of a task.

    :param task: its name within the batch.
    :param describe: its inputs and outputs, as they are known now.
    """
    run = _current.get(_state_dir(batch))
    if run is not None:
        run.begun[task] = events.task_started(batch, run.parent, task, describe())
        run.outbox.append(run.begun[task])


@_harmless
def task_ended(
    batch: Batch,
    task: str,
    state: EndState,
    message: str = "",
    describe: Callable[[], Datasets] | None = None,
) -> None:
    """End the run of a task; without effect on a task that found its work done and so never began a run.

    :param describe: its inputs and outputs, as they are known now; None: as they were at its start.
    """
    run = _current.get(_state_dir(batch))
    if run is None:
        return
    start = run.begun.pop(task, None)
    if start is not None:
        run.outbox.append(events.ended(start, state, message, describe() if describe else None))
    if task in run.expected:
        run.expected.discard(task)
        if not run.expected and run.is_implicit and run.process == os.getpid():
            end(batch, state, message)


@_harmless
def task_died(batch: Batch, task: str, message: str) -> None:
    """End the run of a task whose process, a child of this one, has died; without effect if it has ended."""
    run = _current.get(_state_dir(batch))
    if run is None:
        return
    job = events.job_name(batch, task)
    for start in Ledger(run.outbox.lines()).running.values():
        if start["job"]["name"] == job:
            run.outbox.append(events.ended(start, "FAIL", message))


def end(batch: Batch, state: EndState, message: str = "") -> str:
    """End the part of this process in the run of the batch; its last process ends the run.

    :returns: what kept events from being sent; empty: nothing did.
    """
    _end(batch, state, message)
    return _problems.pop(_state_dir(batch), "")


@_harmless
def _end(batch: Batch, state: EndState, message: str) -> None:
    run = _current.pop(_state_dir(batch), None)
    if run is None:
        return
    folder = run.outbox.path.parent
    with outbox.alone(folder):
        for start in Ledger(run.outbox.lines()).running.values():
            run.outbox.append(events.ended(start, "ABORT" if state == "ABORT" else "FAIL", _UNFINISHED))
        if not _adopt(run.outbox) and _shared(folder) is not None:
            run.outbox.append(events.ended(run.parent, state, message))
            writing.remove(folder / _SHARED)
        run.outbox.leave()
    problem = run.sender.finish()
    if problem:
        _problems.setdefault(
            _state_dir(batch), f"{problem}; the next run that joins a table sends what is left"
        )
        run.outbox.close()
    else:
        run.outbox.remove()


def _end_implicit(batch: Batch) -> None:
    """End the run of a batch at the end of a process that did not run the report's task."""
    run = _current.get(_state_dir(batch))
    if run is None or run.process != os.getpid():
        return
    with contextlib.suppress(SecondOpinionError):
        if BatchCheck(batch).complete:
            end(batch, "COMPLETE")
            return
    end(batch, "ABORT" if Ledger(run.outbox.lines()).running else "FAIL", "the batch is not complete")


def _share(batch: Batch, own: Outbox) -> JsonObject:
    """The START of the batch's run: of other processes that take part, or of a new run."""
    living, shared = _adopt(own), own.path.with_name(_SHARED)
    parent = _shared(own.path.parent)
    if parent is not None and living:
        return parent
    if parent is not None:
        own.append(events.ended(parent, "FAIL", _DIED))
    begun = events.batch_started(batch)
    own.append(begun)
    writing.write_whole(shared, jsontext.canonical(begun))
    return begun


def _adopt(own: Outbox) -> bool:
    """Take over what dead processes have left, and end their tasks' runs; returns whether others take part."""
    living, abandoned = outbox.others(own)
    for each in abandoned:
        if each.size <= MAX_LEFT_BYTES:
            left = Ledger(each.lines())
            for event in left.pending.values():
                own.append(event)
            for start in left.running.values():
                own.append(events.ended(start, "FAIL", _DIED))
        each.remove()
    return living


def _shared(folder: Path) -> JsonObject | None:
    """The START of the batch's run that is open; None if there is none."""
    try:
        found = jsontext.parse(files.read_bytes(folder / _SHARED))
    except (BatchError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _state_dir(batch: Batch) -> Path:
    """The state folder, in one spelling: tasks name the batch by absolute paths, a caller as they like.

    Outboxes are local files. Where the batch is in a store, each host has one of its own in its folder of temporary files.
    """
    place = filenames.resolved(batch.state_dir.parent) / batch.state_dir.name
    if isinstance(place, Path):
        return place
    return filenames.scratch_folder(str(place))
