"""Luigi: a task per table, and a task that requires them all and writes the report."""

from __future__ import annotations

import contextlib
import functools
import html
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

import luigi
from luigi.configuration import get_config

from ..errors import BatchError, InputError, SkippedError
from ..join.large import budget
from ..join.large.matching import shared_scores
from ..join.materialize import materialize_entry
from ..lineage import datasets
from ..lineage.events import Datasets
from ..manifest.batch import Batch, default_markdown, default_report
from ..manifest.entries import FEATURES
from ..records import snapshots
from ..records.receipts import Receipts
from ..report.freshness import BatchCheck, failure_key, places_of, places_of_inputs
from ..storage import writing
from ..storage.locations import Location
from .inputs import InputFile
from .lineage_events import BEGUN
from .shards import JoinedShard, index_table
from .shared import BatchTask, JoiningTask, one_spelling, recording, remember
from .targets import ReportTarget, TableTarget

_MESSAGE_SECONDS = 1.0


class JoinedTable(JoiningTask):
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

    def weighed(self) -> Iterable[Location]:
        """All inputs of the table."""
        batch = self.batch
        return [path for _, path in batch.table(self.table).inputs(batch.base_dir)]

    reads_all = True

    def places(self) -> Iterable[Location]:
        """Its inputs, but those of patterns."""
        return places_of_inputs(self.batch, self.batch.table(self.table))

    def requires(self) -> dict[str, luigi.Task]:
        """Every input by its role: `features`, `scores[0]` ... Luigi does not check them for a complete table."""
        entry = self.batch.table(self.table)
        if entry.is_sharded:
            return self._shards()
        named = {FEATURES: entry.features.path}
        named |= {f"scores[{index}]": sidecar.path for index, sidecar in enumerate(entry.scores)}
        return {role: self.input_task(role, path) for role, path in named.items()}

    def _shards(self) -> dict[str, luigi.Task]:
        """A task for each shard by its role, or the pattern of which there is none yet."""
        batch = self.batch
        entry = batch.table(self.table)
        shared = {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "fail_fast_since")}
        tasks: dict[str, luigi.Task] = {}
        with contextlib.suppress(InputError):  # running the table reports it
            tasks = {
                f"{FEATURES}/{shard.name}": JoinedShard(table=self.table, shard=shard.name, **shared)
                for shard in entry.shards(batch.base_dir)
            }
        return tasks or {FEATURES: self.input_task(FEATURES, entry.features.path)}

    def input_task(self, role: str, path: str) -> luigi.Task:  # noqa: ARG002  # the role is for subclasses
        """The task that provides an input. A subclass may return its own; it runs before the table is joined.

        :param role: `features`, or `scores[N]` with the sidecar's position in the manifest.
        :param path: the input as the manifest names it.
        """
        return InputFile(path=path, base_dir=str(self.base))

    def output(self) -> TableTarget:
        """The joined table. It exists only while it matches the manifest and the inputs."""
        batch = self.batch
        return TableTarget(batch, batch.table(self.table))

    def run(self) -> None:
        """Join the table, and record the result or the error."""
        batch = self.batch
        entry = batch.table(self.table)
        receipts = Receipts(batch.state_dir, None if self.fail_fast_since else entry)
        if self.fail_fast_since and receipts.has_failed(batch.tables, self.fail_fast_since):
            raise SkippedError(f"{self.table}: not run, as another table has failed")
        if self.complete():
            return  # another worker has joined it since this one looked
        self.trigger_event(BEGUN, self)
        budget.configure(get_config().get("second_opinion", "memory", None))
        key = failure_key(entry, batch.base_dir)  # an input may change while it is read
        record = functools.partial(receipts.record_built, entry)
        with recording(functools.partial(self.record_failure, key=key)):
            # Recorded before the outputs take their names, so that no crash leaves a finished table without a record.
            if entry.is_sharded:
                made = index_table(batch, entry, receipts, self._show_progress, record)
            else:
                scores = shared_scores(batch, entry, self._show_progress)
                made = materialize_entry(entry, batch.base_dir, self._show_progress, record, scores)
            record(made)

    def lineage_datasets(self, done: bool) -> Datasets:
        """The feature table and the sidecars; the joined table and the audit."""
        return datasets.of_table(self.batch, self.table, done)

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


class BatchReport(BatchTask):
    """The report of a batch, written when all its tables are complete."""

    task_namespace = "second_opinion"
    table_task: ClassVar[type[JoinedTable]] = JoinedTable
    """The class of the batch's tables; a subclass may name its own."""

    @classmethod
    def of(cls, batch: Batch, fail_fast_since: int = 0) -> BatchReport:
        """The report of a batch that was just read; the tasks do not read an unchanged manifest again."""
        paths = (batch.manifest, batch.base_dir, batch.report_json, batch.report_md)
        manifest, base_dir, report_json, report_md = map(one_spelling, paths)
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
                remember(task.batch_parameters, found.signature, same)
        return task

    def places(self) -> Iterable[Location]:
        """Inputs and outputs of every table, but those of patterns."""
        return places_of(self.batch)

    def requires(self) -> list[JoinedTable]:
        """Every table of the batch."""
        shared = {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "fail_fast_since")}
        return [self.table_task(table=table.id, **shared) for table in self.batch.tables]

    def output(self) -> ReportTarget:
        """The report. It exists only while every table exists and the report describes them."""
        return ReportTarget(self.batch)

    def run(self) -> None:
        """Write the report as JSON and as Markdown, both or none, unless another worker has written it."""
        check = BatchCheck(self.batch)
        if not check.complete:
            self.trigger_event(BEGUN, self)
            write_report(check)
        with contextlib.suppress(BatchError):  # a read-only file system
            writing.clear(self.batch.scores_dir)

    def lineage_datasets(self, done: bool) -> Datasets:
        """The joined tables; both forms of the report."""
        return datasets.of_report(self.batch, done)


def write_report(check: BatchCheck) -> None:
    """Write the report of a batch whose tables are complete, unless it is up to date.

    :raises BatchError: a table is not complete any more, or a file cannot be written.
    """
    batch = check.batch
    if not check.tables_complete:
        raise BatchError(f"{batch.manifest}: a table changed while the batch ran; run again")
    if not check.stale_report:
        return  # the tables were joined again with the same result
    paths = (batch.report_json, batch.report_md)
    check.remember_written(writing.write_together(dict(zip(paths, check.content, strict=True))))
