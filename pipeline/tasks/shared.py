"""What the tasks of a batch share: their parameters, the manifest as it was read, records of failures."""

from __future__ import annotations

import abc
import contextlib
import functools
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar, TypeAlias

import luigi

from ..errors import BatchError, InputError, InputMissingError, SecondOpinionError
from ..lineage.events import Datasets
from ..manifest.batch import Batch, load_manifest
from ..records.receipts import Failure, FailureStatus, Receipts
from ..report.freshness import failure_key
from ..storage import filenames, files, locations
from ..storage.locations import Location
from ..storage.objects import ObjectPath
from .lineage_events import emit_lineage

SMALL_BYTES = 1 << 18
"""Maximum size of inputs that are joined faster than a process for it could start."""

PROCESS_DIED = "its process was ended from outside, or ran out of memory; run again"

_BatchParameters: TypeAlias = tuple[str, str, str, str]
_known: dict[_BatchParameters, tuple[files.Signature, Batch]] = {}
_MAX_KNOWN = 8


class _Resolved(str):
    """A path that `PathParameter` has already resolved, so that a report does not resolve it for each table."""

    __slots__ = ()


class PathParameter(luigi.Parameter):
    """A URI, or an absolute path through no linked folder, so that a luigid knows a batch by one name from any folder."""

    def normalize(self, x: str) -> str:
        """The resolved path; empty, which means the default, stays empty."""
        if not x or isinstance(x, _Resolved):
            return x
        return _Resolved(one_spelling(locations.given(x)))


@emit_lineage
class BatchTask(luigi.Task):
    """What all tasks share: the manifest, read once per process and version of the file."""

    BATCH_PARAMETERS = ("manifest", "base_dir", "report_json", "report_md")
    """The parameters that distinguish one batch from another."""

    manifest = PathParameter(description="the manifest of the batch")
    base_dir = PathParameter(default="", description="folder of relative paths; default: the manifest's")
    report_json = PathParameter(default="", description="default: <manifest stem>.report.json")
    report_md = PathParameter(default="", description="default: the report's name with .md")
    fail_fast_since = luigi.IntParameter(
        default=0,
        significant=False,
        description="begin no table once one has failed since (ns); 0: begin all",
    )

    @classmethod
    @functools.cache  # Luigi calls it eleven times per table, and reads all attributes of the class each time
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        """The parameters, the table first, because it distinguishes the tasks of a batch; then in order of declaration."""
        declared: list[tuple[str, luigi.Parameter]] = super().get_params()
        return sorted(declared, key=lambda each: each[0] != "table")

    def to_str_params(self, *args: bool, **only: bool) -> dict[str, str]:
        """The parameters that are not empty; empty is the default of each of the others.

        Luigi shows these, and builds the task's id from the significant ones.
        """
        given: dict[str, str] = super().to_str_params(*args, **only)
        return {name: value for name, value in given.items() if getattr(self, name)}

    @property
    def batch(self) -> Batch:
        """The checked manifest.

        :raises ManifestError: it has a fault.
        """
        signature, batch = _known.get(self.batch_parameters, (None, None))
        manifest = locations.given(self.manifest)
        if batch is not None and isinstance(manifest, ObjectPath) and not _is_time_to_look(manifest):
            return batch
        try:
            found = files.signature(manifest)
        except InputError:
            if batch is None:
                raise
            return batch  # the check of the batch reports the manifest if it has changed
        if batch is None or signature != found:
            batch = remember(self.batch_parameters, found, load_manifest(*self.batch_parameters))
        return batch

    reads_all: ClassVar[bool] = False
    """Whether the task reads all of its `places`."""

    def places(self) -> Iterable[Location]:
        """The files that the task will look at, as far as they are known without a look at any."""
        return ()

    def is_worth_a_process(self) -> bool:
        """True if the task takes long enough for a process of its own."""
        return False

    @property
    def batch_parameters(self) -> _BatchParameters:
        """The manifest and where its files and reports are, as `load_manifest` takes them."""
        return (self.manifest, self.base_dir, self.report_json, self.report_md)

    @functools.cached_property
    def base(self) -> Location:
        """The folder of relative paths, known without a look at the manifest."""
        return locations.given(self.base_dir) if self.base_dir else locations.given(self.manifest).parent

    @property
    def lineage_name(self) -> str:
        """The task within its batch, as lineage names its job."""
        return type(self).__name__

    @abc.abstractmethod
    def lineage_datasets(self, done: bool) -> Datasets:
        """What the task reads and writes, for its lineage.

        :param done: it has succeeded, so that versions are known too.
        """

    def message(self, exc: BaseException) -> str:
        """The message of an error as reports hold it: files are named from the base folder, wherever that is."""
        text = (
            str(exc)
            if isinstance(exc, SecondOpinionError)
            else f"internal error: {type(exc).__name__}: {exc}"
        )
        return _shortened(text, self.base)

    def on_failure(self, exception: BaseException) -> str:
        """What the visualiser shows: the message, with a traceback for internal errors only. No report reads it."""
        if isinstance(exception, SecondOpinionError):
            return self.message(exception)
        return str(super().on_failure(exception))


class TableTask(BatchTask):
    """A task of one table. It records why it failed: whoever needs the reason reads the record."""

    table = luigi.Parameter(description="the table's id in the manifest")

    @property
    def lineage_name(self) -> str:
        """The kind of task and its table."""
        return f"{type(self).__name__}.{self.table}"

    @abc.abstractmethod
    def record_failure(self, exc: Exception) -> None:
        """Record why the task failed, with its inputs as they are now.

        :raises BatchError: the record cannot be written.
        """


class JoiningTask(TableTask):
    """A task that joins a table, or a part of it. Why it failed is recorded of the table."""

    @abc.abstractmethod
    def weighed(self) -> Iterable[Location]:
        """The files whose size says how long the task takes.

        :raises BatchError: they cannot be listed.
        """

    def is_worth_a_process(self) -> bool:
        """True if they exceed SMALL_BYTES. False if they cannot be measured: `run` will then report the error."""
        try:
            return sum(files.signature(path).size for path in self.weighed()) > SMALL_BYTES
        except SecondOpinionError:
            return False

    def record_failure(self, exc: Exception, key: str | None = None) -> None:
        """Record why the table failed, or that it waits for an input.

        :param key: the failure's key; None: that of the inputs as they are now.
        :raises BatchError: the record cannot be written.
        """
        batch = self.batch
        entry = batch.table(self.table)
        status: FailureStatus = "waiting" if isinstance(exc, InputMissingError) else "failed"
        failure = Failure(status, self.message(exc), key or failure_key(entry, batch.base_dir))
        Receipts(batch.state_dir).record_failure(entry, failure)


@TableTask.event_handler(luigi.Event.PROCESS_FAILURE)  # type: ignore[untyped-decorator]  # luigi's
@TableTask.event_handler(luigi.Event.TIMEOUT)  # type: ignore[untyped-decorator]  # likewise
def _record_death(task: TableTask, _message: str) -> None:
    """Record the failure of a task whose process died. Luigi calls this in the process that started it."""
    task.record_failure(BatchError(PROCESS_DIED))


@contextlib.contextmanager
def recording(record: Callable[[Exception], None]) -> Iterator[None]:
    """Have `record` keep an exception of this block before it is raised further.

    If it cannot be recorded, the run finds a failed table without a record, and reports that.
    """
    try:
        yield
    except Exception as exc:
        try:
            record(exc)
        except BatchError:  # a lock or a disk may fail once
            with contextlib.suppress(BatchError):
                record(exc)
        raise


def one_spelling(path: Location) -> Location:
    """The absolute path of a file through no linked folder, or that of a folder itself."""
    return (
        filenames.resolved(path) if filenames.is_folder(path) else filenames.resolved(path.parent) / path.name
    )


def remember(parameters: _BatchParameters, signature: files.Signature, batch: Batch) -> Batch:
    """Have the tasks with these parameters use `batch` while the manifest has that signature."""
    _known[parameters] = (signature, batch)
    if len(_known) > _MAX_KNOWN:
        del _known[next(iter(_known))]
    return batch


_looked: dict[ObjectPath, float] = {}
_LOOK_AGAIN_SECONDS = 1.0


def _is_time_to_look(manifest: ObjectPath) -> bool:
    """Whether nobody has looked at a manifest in a store for some time: each look is a request, and tables are many."""
    now = time.monotonic()
    if now - _looked.get(manifest, -math.inf) < _LOOK_AGAIN_SECONDS:
        return False
    _looked[manifest] = now
    return True


def _shortened(message: str, base: Location) -> str:
    """The message with files below the base folder named from there."""
    if base == Path():
        return message
    # a path may begin behind a blank or a quote
    return re.sub(rf"(?<![^\s'\"]){re.escape(str(base))}/", "", message)
