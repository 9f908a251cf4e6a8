"""Luigi: a task per table, and one that requires them all and writes the report."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import luigi
from luigi.rpc import RemoteScheduler
from luigi.scheduler import Scheduler
from luigi.worker import Worker

from pipeline import files
from pipeline.errors import BatchError, InputMissingError
from pipeline.manifest import Batch, load_manifest
from pipeline.materializer import materialize_entry
from pipeline.receipts import Failure, Receipts
from pipeline.targets import ReportTarget, TableTarget

Watch = Callable[[str, bool], None]
"""Called with a table's id and whether it is complete, when Luigi says that it is done or has failed."""


class SkippedError(BatchError):
    """The table was not tried because another one failed and the run is to stop early."""


class _BatchTask(luigi.Task):
    """What both tasks share: the manifest, read once per process and version of the file."""

    manifest = luigi.Parameter(description="the manifest of the batch")
    base_dir = luigi.Parameter(default="", description="folder of relative paths; default: the manifest's")
    report_json = luigi.Parameter(default="", description="default: <manifest stem>.report.json")
    report_md = luigi.Parameter(default="", description="default: the report's name with .md")
    fail_fast = luigi.BoolParameter(default=False, significant=False, description="stop at the first failure")

    @property
    def batch(self) -> Batch:
        """The checked manifest.

        :raises ManifestError: it has a fault.
        """
        signature = files.signature(Path(self.manifest))
        return _batch(self.manifest, self.base_dir, self.report_json, self.report_md, signature)


class JoinedTable(_BatchTask):
    """One joined table of a batch."""

    task_namespace = "second_opinion"

    table = luigi.Parameter(description="the table's id in the manifest")

    @property
    def priority(self) -> int:  # type: ignore[override]  # luigi only reads it
        """Tables begin in the manifest's order; without it Luigi begins with any."""
        tables = self.batch.tables
        return len(tables) - tables.index(self.batch.table(self.table))

    def output(self) -> TableTarget:
        """The joined table, which exists only while it is what the manifest and the inputs ask for."""
        return TableTarget(self.batch, self.batch.table(self.table))

    def run(self) -> None:
        """Make the table, and leave a record of it or of why it could not be made."""
        batch = self.batch
        receipts = Receipts(batch.state_dir)
        if self.fail_fast and receipts.has_failures():
            raise SkippedError(f"{self.table}: not run, as another table has failed")
        try:
            made = materialize_entry(batch.table(self.table), batch.base_dir, self._tell)
        except Exception as exc:
            receipts.record_failure(self.table, _failure(exc, batch.base_dir))
            raise
        receipts.record_made(self.table, made)

    def on_failure(self, exception: BaseException) -> str:
        """What the visualiser shows: the message, without a traceback for what a user can cause."""
        return str(exception) if isinstance(exception, BatchError) else str(super().on_failure(exception))

    def _tell(self, doing: str, share: float) -> None:
        say: Callable[[str], None] | None = self.set_status_message
        if say is not None:  # None where no worker runs the task
            say(doing)
            self.set_progress_percentage(round(100 * share))  # type: ignore[misc]  # set where the other one is


class BatchReport(_BatchTask):
    """The report of a batch, written when all its tables are complete."""

    task_namespace = "second_opinion"

    def requires(self) -> list[JoinedTable]:
        """Every table of the batch."""
        shared = {
            name: getattr(self, name)
            for name in ("manifest", "base_dir", "report_json", "report_md", "fail_fast")
        }
        return [JoinedTable(table=table.id, **shared) for table in self.batch.tables]

    def output(self) -> ReportTarget:
        """The report, which exists only while every table does and it is theirs."""
        return ReportTarget(self.batch)

    def run(self) -> None:
        """Write the report as JSON and as Markdown, both or none."""
        write_report(self.batch)


def write_report(batch: Batch) -> None:
    """Write the report of a batch whose tables are complete.

    :raises BatchError: a table is not complete any more, or a file cannot be written.
    """
    content = ReportTarget(batch).content()
    if content is None:
        raise BatchError(f"{batch.manifest}: a table changed while the batch ran; run again")
    with files.replacing(batch.report_json, batch.report_md) as temporaries:
        for temporary, part in zip(temporaries, content, strict=True):
            temporary.write_bytes(part)


def build(root: BatchReport, workers: int, scheduler: str | None, watch: Watch) -> None:
    """Have Luigi run the batch; whether it is complete then is for `root.complete()` to say.

    :param workers: number of processes that make tables; with 1 they are made in this one.
    :param scheduler: URL of a luigid; None: the local scheduler.
    """
    luigi.build(
        [root],
        worker_scheduler_factory=_Factory(watch),
        workers=workers,
        local_scheduler=scheduler is None,
        scheduler_url=scheduler or "",
        log_level="CRITICAL",  # how a table failed is told by the verdict, not by a traceback
    )


@functools.lru_cache(maxsize=8)
def _batch(
    manifest: str, base_dir: str, report_json: str, report_md: str, _signature: files.Signature
) -> Batch:
    return load_manifest(manifest, base_dir, report_json, report_md)


def _failure(exc: Exception, base: Path) -> Failure:
    message = str(exc) if isinstance(exc, BatchError) else f"internal error: {type(exc).__name__}: {exc}"
    # Reports name files from the base folder, wherever that is.
    return Failure(
        "waiting" if isinstance(exc, InputMissingError) else "failed", message.replace(f"{base}/", "")
    )


class _Watched:
    """A scheduler that tells `watch` how each table ended."""

    watch: Watch

    def add_task(self, *args: Any, **kwargs: Any) -> Any:
        """Pass on what the worker says of a task, and tell the watcher."""
        result = super().add_task(*args, **kwargs)  # type: ignore[misc]  # the scheduler that this is mixed into
        table = (kwargs.get("params") or {}).get("table")
        if table is not None and kwargs.get("status") in ("DONE", "FAILED"):
            self.watch(table, kwargs["status"] == "DONE")
        return result


class _LocalScheduler(_Watched, Scheduler):
    pass


class _CentralScheduler(_Watched, RemoteScheduler):
    pass


class _Factory:
    """What luigi.build asks for its scheduler and worker."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def create_local_scheduler(self) -> Any:
        """A scheduler in this process."""
        return self._watching(_LocalScheduler(prune_on_get_work=True, record_task_history=False))

    def create_remote_scheduler(self, url: str) -> Any:
        """The luigid at `url`."""
        return self._watching(_CentralScheduler(url))

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> Worker:
        """A worker with that many processes."""
        return Worker(scheduler=scheduler, worker_processes=worker_processes, assistant=assistant)

    def _watching(self, scheduler: Any) -> Any:
        scheduler.watch = self._watch
        return scheduler
