"""Luigi: a task per table, and one that requires them all and writes the report."""

from __future__ import annotations

import contextlib
import functools
import html
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import luigi
from luigi.rpc import RPCError

from pipeline.errors import BatchError, InputError, InputMissingError, SecondOpinionError, SkippedError
from pipeline.join.materialize import materialize_entry
from pipeline.manifest.batch import Batch, default_markdown, default_report, load_manifest
from pipeline.records import snapshots
from pipeline.records.receipts import Failure, Receipts
from pipeline.report.freshness import BatchCheck, cause
from pipeline.storage import filenames, files, writing
from pipeline.tasks.targets import ReportTarget, TableTarget

SMALL_BYTES = 1 << 18
"""What a table may read, as its files stand, and still be made sooner than a process for it can begin."""

_TELL_EVERY_SECONDS = 1.0
_Places: TypeAlias = tuple[str, str, str, str]
_known: dict[_Places, tuple[files.Signature, Batch]] = {}
_MOST_KNOWN = 8


class _Resolved(str):
    """A path in the spelling of `PathParameter`, which a report need not look for again for each of its tables."""

    __slots__ = ()


class PathParameter(luigi.Parameter):
    """A path, absolute and through no linked folder: to a luigid a batch is the same from wherever it is run."""

    def normalize(self, x: str) -> str:
        """The one spelling; empty stays empty, which stands for a default."""
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
    @functools.cache  # Luigi asks eleven times per table, and goes through all attributes of the class each time
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        """The parameters in the order of their declaration, but the table first, which tells tasks of a batch apart."""
        declared: list[tuple[str, luigi.Parameter]] = super().get_params()
        return sorted(declared, key=lambda each: each[0] != "table")

    def to_str_params(self, *args: bool, **only: bool) -> dict[str, str]:
        """The parameters that are not empty: one that is left out has its default, which for all of them is empty.

        Luigi shows these, and makes the task's id of those that are significant.
        """
        given: dict[str, str] = super().to_str_params(*args, **only)
        return {name: value for name, value in given.items() if getattr(self, name)}

    @property
    def batch(self) -> Batch:
        """The checked manifest.

        :raises ManifestError: it has a fault.
        """
        signature, batch = _known.get(self.places, (None, None))
        try:
            found = files.signature(Path(self.manifest))
        except InputError:
            if batch is None:
                raise
            return batch  # whether it is still the same is for the verdict to find
        if batch is None or signature != found:
            batch = _remember(self.places, found, load_manifest(*self.places))
        return batch

    def is_worth_a_process(self) -> bool:
        """Whether the task takes so long that it may be given a process of its own."""
        return False

    @property
    def places(self) -> _Places:
        """The manifest and where its files and reports are, as `load_manifest` takes them."""
        return (self.manifest, self.base_dir, self.report_json, self.report_md)

    @property
    def base(self) -> Path:
        """The folder of relative paths."""
        return Path(self.base_dir) if self.base_dir else Path(self.manifest).parent


class JoinedTable(BatchTask):
    """One joined table of a batch."""

    task_namespace = "second_opinion"

    table = luigi.Parameter(description="the table's id in the manifest")

    @property
    def priority(self) -> int:  # type: ignore[override]  # luigi only reads it
        """Tables begin in the manifest's order; without it Luigi begins with any."""
        batch = self.batch
        return len(batch.tables) - batch.position(self.table)  # Luigi knows none below zero

    def is_worth_a_process(self) -> bool:
        """Whether the table reads more than a little; not if that cannot be told, as `run` will soon fail."""
        try:
            batch = self.batch
            inputs = batch.table(self.table).inputs(batch.base_dir)
            return sum(files.signature(path).size for _, path in inputs) > SMALL_BYTES
        except SecondOpinionError:
            return False

    def output(self) -> TableTarget:
        """The joined table, which exists only while it is what the manifest and the inputs ask for."""
        batch = self.batch
        return TableTarget(batch, batch.table(self.table))

    def run(self) -> None:
        """Make the table, and leave a record of it or of why it could not be made."""
        batch = self.batch
        entry = batch.table(self.table)
        receipts = Receipts(batch.state_dir)
        if self.fail_fast_since and receipts.has_failed(batch.tables, self.fail_fast_since):
            raise SkippedError(f"{self.table}: not run, as another table has failed")
        asked = cause(entry, batch.base_dir)
        remember = functools.partial(receipts.record_made, entry)
        try:
            # Remembered before the outputs take their names, so that no crash leaves a finished table unknown.
            made = materialize_entry(entry, batch.base_dir, self._tell, commit=remember)
        except Exception as exc:
            with contextlib.suppress(BatchError):  # else whoever began the run records it, as it hears of it
                receipts.record_failure(entry, _failure(exc, batch.base_dir, asked))
            raise
        remember(made)

    def on_failure(self, exception: BaseException) -> str:
        """What the visualiser shows: the message, without a traceback for what a user can cause."""
        if isinstance(exception, SecondOpinionError):
            return _shortened(str(exception), self.base)
        return str(super().on_failure(exception))

    def _tell(self, doing: str, share: float) -> None:
        """Tell the visualiser, if a worker runs the task, and no more often than anyone reads it."""
        say: Callable[[str], None] | None = self.set_status_message
        now = time.monotonic()
        if say is not None and now - self._told >= _TELL_EVERY_SECONDS:
            self._told = now
            with contextlib.suppress(RPCError):  # a luigid that has gone is no reason to lose the table
                say(html.escape(doing, quote=False))  # which the visualiser takes for HTML
                self.set_progress_percentage(round(100 * share))  # type: ignore[misc]  # set where `say` is

    @functools.cached_property
    def _told(self) -> float:
        return time.monotonic()


class BatchReport(BatchTask):
    """The report of a batch, written when all its tables are complete."""

    task_namespace = "second_opinion"

    @classmethod
    def of(cls, batch: Batch, fail_fast_since: int = 0) -> BatchReport:
        """The report of a batch that has just been read; if its file is the same it is not read again for the tasks."""
        places = (batch.manifest, batch.base_dir, batch.report_json, batch.report_md)
        manifest, base_dir, report_json, report_md = map(_one_spelling, places)
        usual = (manifest.parent, default_report(manifest), default_markdown(report_json))
        chosen = (
            "" if place == each else str(place)
            for place, each in zip((base_dir, report_json, report_md), usual, strict=True)
        )
        task = cls(str(manifest), *chosen, fail_fast_since=fail_fast_since)
        with contextlib.suppress(BatchError):  # whoever reads it next says what is wrong with it
            found = snapshots.snapshot(manifest)
            if found.sha256 == batch.sha256:
                same = replace(
                    batch, manifest=manifest, base_dir=base_dir, report_json=report_json, report_md=report_md
                )
                _remember(task.places, found.signature, same)
        return task

    def requires(self) -> list[JoinedTable]:
        """Every table of the batch."""
        shared = {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "fail_fast_since")}
        return [JoinedTable(table=table.id, **shared) for table in self.batch.tables]

    def output(self) -> ReportTarget:
        """The report, which exists only while every table does and it is theirs."""
        return ReportTarget(self.batch)

    def run(self) -> None:
        """Write the report as JSON and as Markdown, both or none."""
        write_report(BatchCheck(self.batch))


def _one_spelling(path: Path) -> Path:
    return (
        filenames.resolved(path) if filenames.is_folder(path) else filenames.resolved(path.parent) / path.name
    )


def write_report(check: BatchCheck) -> None:
    """Write the report of a batch whose tables are complete, unless it stands already.

    :raises BatchError: a table is not complete any more, or a file cannot be written.
    """
    batch = check.batch
    if not check.tables_complete:
        raise BatchError(f"{batch.manifest}: a table changed while the batch ran; run again")
    if not check.stale_report:
        return  # the tables were made again just as they were
    writing.write_together(dict(zip((batch.report_json, batch.report_md), check.content, strict=True)))
    check.remember_written()


def _remember(places: _Places, signature: files.Signature, batch: Batch) -> Batch:
    _known[places] = (signature, batch)
    if len(_known) > _MOST_KNOWN:
        del _known[next(iter(_known))]
    return batch


def _failure(exc: Exception, base: Path, asked: str) -> Failure:
    message = str(exc) if isinstance(exc, BatchError) else f"internal error: {type(exc).__name__}: {exc}"
    return Failure(
        "waiting" if isinstance(exc, InputMissingError) else "failed", _shortened(message, base), asked
    )


def _shortened(message: str, base: Path) -> str:
    """A message that names files from the base folder, wherever that is, as reports do."""
    if base == Path():
        return message
    # a path may begin behind a blank or a quote
    return re.sub(rf"(?<![^\s'\"]){re.escape(str(base))}/", "", message)
