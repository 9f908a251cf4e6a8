"""Luigi: a task per table, and a task that requires them all and writes the report."""

from __future__ import annotations

import abc
import contextlib
import functools
import html
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, TypeAlias

import luigi

from ..errors import BatchError, InputError, InputMissingError, SecondOpinionError, SkippedError
from ..join.materialize import materialize_entry
from ..manifest.batch import Batch, default_markdown, default_report, load_manifest
from ..manifest.entries import FEATURES
from ..records import snapshots
from ..records.receipts import Failure, FailureStatus, Receipts
from ..report.freshness import BatchCheck, failure_key
from ..storage import filenames, files, writing
from .inputs import InputFile
from .lineage_events import emit_lineage
from .targets import ReportTarget, TableTarget

SMALL_BYTES = 1 << 18
"""Maximum size of the inputs of a table that is joined faster than a process for it could start."""

PROCESS_DIED = "its process was ended from outside, or ran out of memory; run again"

_MESSAGE_SECONDS = 1.0
_BatchParameters: TypeAlias = tuple[str, str, str, str]
_known: dict[_BatchParameters, tuple[files.Signature, Batch]] = {}
_MAX_KNOWN = 8


class _Resolved(str):
    """A path that `PathParameter` has already resolved, so that a report does not resolve it for each table."""

    __slots__ = ()


class PathParameter(luigi.Parameter):
    """An absolute path through no linked folder, so that a luigid knows a batch by one name from any folder."""

    def normalize(self, x: str) -> str:
        """The resolved path; empty, which means the default, stays empty."""
        if not x or isinstance(x, _Resolved):
            return x
        return _Resolved(_one_spelling(Path(x)))


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
        try:
            found = files.signature(Path(self.manifest))
        except InputError:
            if batch is None:
                raise
            return batch  # the check of the batch reports the manifest if it has changed
        if batch is None or signature != found:
            batch = _remember(self.batch_parameters, found, load_manifest(*self.batch_parameters))
        return batch

    def is_worth_a_process(self) -> bool:
        """True if the task takes long enough for a process of its own."""
        return False

    @property
    def batch_parameters(self) -> _BatchParameters:
        """The manifest and where its files and reports are, as `load_manifest` takes them."""
        return (self.manifest, self.base_dir, self.report_json, self.report_md)

    @property
    def base(self) -> Path:
        """The folder of relative paths, known without a look at the manifest."""
        return Path(self.base_dir or Path(self.manifest).parent)

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

    @abc.abstractmethod
    def record_failure(self, exc: Exception) -> None:
        """Record why the task failed, with its inputs as they are now.

        :raises BatchError: the record cannot be written.
        """


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


@emit_lineage
class JoinedTable(TableTask):
    """One joined table of a batch."""

    task_namespace = "second_opinion"

    @property
    def priority(self) -> int:  # type: ignore[override]  # luigi only reads it
        """A higher number for tables further up in the manifest. Luigi itself has no order."""
        batch = self.batch
        return len(batch.tables) - batch.position(self.table)  # Luigi accepts none below zero

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # luigi only reads it
        """The amounts of Luigi's resources that joining the table uses, by name."""
        return dict(self.batch.table(self.table).resources)

    def is_worth_a_process(self) -> bool:
        """True if the inputs exceed SMALL_BYTES. False if they cannot be measured: `run` will then report the error."""
        try:
            batch = self.batch
            inputs = batch.table(self.table).inputs(batch.base_dir)
            return sum(files.signature(path).size for _, path in inputs) > SMALL_BYTES
        except SecondOpinionError:
            return False

    def requires(self) -> dict[str, luigi.Task]:
        """Every input by its role: `features`, `scores[0]` ... Luigi does not check them for a complete table."""
        entry = self.batch.table(self.table)
        named = {FEATURES: entry.features.path}
        named |= {f"scores[{index}]": sidecar.path for index, sidecar in enumerate(entry.scores)}
        return {role: self.input_task(role, path) for role, path in named.items()}

    def input_task(self, role: str, path: str) -> luigi.Task:  # noqa: ARG002  # the role is for subclasses
        """The task that provides an input. A subclass may return its own; it runs before the table is joined.

        :param role: `features`, or `scores[N]` with the sidecar's position in the manifest.
        :param path: the input as the manifest names it.
        """
        return InputFile(path=path, base_dir=self.base_dir or _folder(self.manifest))

    def output(self) -> TableTarget:
        """The joined table. It exists only while it matches the manifest and the inputs."""
        batch = self.batch
        return TableTarget(batch, batch.table(self.table))

    def run(self) -> None:
        """Join the table, and record the result or the error."""
        batch = self.batch
        entry = batch.table(self.table)
        receipts = Receipts(batch.state_dir)
        if self.fail_fast_since and receipts.has_failed(batch.tables, self.fail_fast_since):
            raise SkippedError(f"{self.table}: not run, as another table has failed")
        if self.complete():
            return  # another worker has joined it since this one looked
        key = failure_key(entry, batch.base_dir)  # an input may change while it is read
        record = functools.partial(receipts.record_built, entry)
        with recording(functools.partial(self.record_failure, key=key)):
            # Recorded before the outputs take their names, so that no crash leaves a finished table without a record.
            made = materialize_entry(entry, batch.base_dir, self._show_progress, commit=record)
            record(made)

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

    def _show_progress(self, doing: str, share: float) -> None:
        """Report progress: as Luigi's event, and to the visualiser at most once per _MESSAGE_SECONDS."""
        self.trigger_event(luigi.Event.PROGRESS, self, {"doing": doing, "share": share})
        show: Callable[[str], None] | None = self.set_status_message
        now = time.monotonic()
        if show is not None and now - self._shown_at >= _MESSAGE_SECONDS:
            self._shown_at = now
            with contextlib.suppress(Exception):  # losing the luigid must not lose the table
                show(html.escape(doing, quote=False))  # the visualiser takes it for HTML
                self.set_progress_percentage(round(100 * share))  # type: ignore[misc]  # set where `show` is

    @functools.cached_property
    def _shown_at(self) -> float:
        return time.monotonic()


@emit_lineage
class BatchReport(BatchTask):
    """The report of a batch, written when all its tables are complete."""

    task_namespace = "second_opinion"
    table_task: ClassVar[type[JoinedTable]] = JoinedTable
    """The class of the batch's tables; a subclass may name its own."""

    @classmethod
    def of(cls, batch: Batch, fail_fast_since: int = 0) -> BatchReport:
        """The report of a batch that was just read; the tasks do not read an unchanged manifest again."""
        paths = (batch.manifest, batch.base_dir, batch.report_json, batch.report_md)
        manifest, base_dir, report_json, report_md = map(_one_spelling, paths)
        usual = (manifest.parent, default_report(manifest), default_markdown(report_json))
        chosen = (
            "" if path == each else str(path)
            for path, each in zip((base_dir, report_json, report_md), usual, strict=True)
        )
        task = cls(str(manifest), *chosen, fail_fast_since=fail_fast_since)
        with contextlib.suppress(BatchError):  # the next reader of the file reports the error
            found = snapshots.snapshot(manifest)
            if found.sha256 == batch.sha256:
                same = replace(
                    batch, manifest=manifest, base_dir=base_dir, report_json=report_json, report_md=report_md
                )
                _remember(task.batch_parameters, found.signature, same)
        return task

    def requires(self) -> list[JoinedTable]:
        """Every table of the batch."""
        shared = {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "fail_fast_since")}
        return [self.table_task(table=table.id, **shared) for table in self.batch.tables]

    def output(self) -> ReportTarget:
        """The report. It exists only while every table exists and the report describes them."""
        return ReportTarget(self.batch)

    def run(self) -> None:
        """Write the report as JSON and as Markdown, both or none."""
        write_report(BatchCheck(self.batch))


@functools.lru_cache(maxsize=_MAX_KNOWN)
def _folder(manifest: str) -> str:
    """The manifest's folder; each input of each table asks for it."""
    return str(Path(manifest).parent)


def _one_spelling(path: Path) -> Path:
    return (
        filenames.resolved(path) if filenames.is_folder(path) else filenames.resolved(path.parent) / path.name
    )


def write_report(check: BatchCheck) -> None:
    """Write the report of a batch whose tables are complete, unless it is up to date.

    :raises BatchError: a table is not complete any more, or a file cannot be written.
    """
    batch = check.batch
    if not check.tables_complete:
        raise BatchError(f"{batch.manifest}: a table changed while the batch ran; run again")
    if not check.stale_report:
        return  # the tables were joined again with the same result
    writing.write_together(dict(zip((batch.report_json, batch.report_md), check.content, strict=True)))
    check.remember_written()


def _remember(parameters: _BatchParameters, signature: files.Signature, batch: Batch) -> Batch:
    _known[parameters] = (signature, batch)
    if len(_known) > _MAX_KNOWN:
        del _known[next(iter(_known))]
    return batch


def _shortened(message: str, base: Path) -> str:
    """The message with files below the base folder named from there."""
    if base == Path():
        return message
    # a path may begin behind a blank or a quote
    return re.sub(rf"(?<![^\s'\"]){re.escape(str(base))}/", "", message)
