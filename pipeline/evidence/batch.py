"""Evidence of a batch on demand: the batch is made complete, then its audit, then its impact."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import BatchError, EvidenceError, InputMissingError, UsageError, listing
from pipeline.evidence.documents import TableAudit, TableError
from pipeline.evidence.state import Kind, Standing, check_places, document_paths, failed_paths
from pipeline.manifest.batch import Batch
from pipeline.storage import files, jsontext
from pipeline.storage.lock import holding
from pipeline.tasks.run import POLL_SECONDS, PROCESS_DIED, BatchResult, run_batch

_COOL_DOWN_SECONDS = 15.0
"""A luigid takes no task again for 10 seconds after it was done, whatever has become of it since."""


@dataclass(frozen=True)
class EvidenceResult:
    """How evidence was given.

    Attributes:
        document: the audit or the impact.
        paths: its files, and the page.
        sha256: the digest of its JSON.
    """

    document: dict[str, Any] = field(repr=False)
    paths: tuple[Path, ...]
    sha256: str


def give_evidence(
    batch: Batch,
    kind: Kind,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    families: Path | None = None,
) -> EvidenceResult:
    """Make what is missing or stale of a batch and of its evidence.

    :param kind: "audit": what the tables cover; "impact": also what the scores are worth.
    :param workers: number of processes that work tables out.
    :param scheduler: URL of a luigid; None: the scheduler in this process.
    :param families: a file of families of signals; None: the package's.
    :raises UsageError: nothing can be given: no table has a label, a library is missing, the evidence has no place.
    :raises EvidenceError: the batch is not complete, a table lacks what is asked for, or a score is the label.
    :raises BatchError: as `run_batch`.
    """
    standing = Standing(batch, families)
    if not standing.tables(kind):
        raise UsageError(
            f"{batch.manifest}: no table has evidence with a target; the impact of scores is measured on a label"
        )
    check_places(batch)
    standing.families_sha256  # noqa: B018  # a file that cannot be read is told before anything is made
    made = run_batch(batch, workers=workers, scheduler=scheduler)
    if made.exit_code:
        raise _incomplete(batch, made)
    standing = Standing(batch, families)
    if not standing.complete(kind):
        with holding(batch.lock, shared=scheduler is not None):
            standing = _make(standing, kind, workers, scheduler)
    for path in failed_paths(batch, kind):
        files.remove(path)
    return _result(standing, kind)


def _make(standing: Standing, kind: Kind, workers: int, scheduler: str | None) -> Standing:
    """Have Luigi make what is missing; what became of it is for the files to say."""
    from pipeline.evidence.tasks import RetrainImpact, SignalMixAudit
    from pipeline.tasks import scheduling
    from pipeline.tasks.graph import BatchReport
    from pipeline.tasks.interruption import interruptible

    batch = standing.batch
    report = BatchReport.of(batch)
    places = {name: getattr(report, name) for name in BatchReport.BATCH_PARAMETERS}
    root = (SignalMixAudit if kind == "audit" else RetrainImpact)(
        families=str(standing.families or ""), **places
    )
    files.sweep(
        [*document_paths(batch, "audit"), *document_paths(batch, "impact"), *document_paths(batch, "page")]
    )

    def build() -> Standing:
        scheduling.build(root, workers, scheduler, lambda _table, _complete: None)
        return Standing(batch, standing.families)

    if scheduler is not None:
        scheduling.forgive(root, scheduler)
    with interruptible():
        after = build()
        patience = time.monotonic() + _COOL_DOWN_SECONDS
        while scheduler is not None and _is_open(after, kind):
            if not scheduling.is_running(root, scheduler) and time.monotonic() > patience:
                break
            time.sleep(POLL_SECONDS)  # nothing else tells that another worker has ended
            scheduling.forgive(
                root, scheduler, patient=True
            )  # it may be a luigid that is being started again
            after = build()
        if not after.complete(kind):
            _fail(after, kind)
    return after


def _is_open(standing: Standing, kind: Kind) -> bool:
    """Whether nothing is known to fail: another worker is at it, or the luigid has seen it done a moment ago."""
    known = (each for each in _errors(standing, kind) if each["error"] != PROCESS_DIED)
    return not standing.complete(kind) and not any(known) and not _leaks(standing)


def _leaks(standing: Standing) -> list[str]:
    from pipeline.evidence.work import leak_faults

    parts = [standing.part("audit", entry) for entry in standing.batch.tables]
    audits: list[TableAudit] = [part.body for part in parts if part and part.body]  # type: ignore[misc]  # from its own JSON
    return leak_faults(audits)


def _fail(standing: Standing, kind: Kind) -> None:
    """Leave what is known under a name of its own, and say what is wrong.

    :raises EvidenceError: always.
    """
    from pipeline.evidence.work import write_document, write_failed, write_page

    errors, leaks = _errors(standing, kind), _leaks(standing)
    if leaks or errors:
        path = write_failed(standing, errors)
        faults = leaks or [f"{each['id']}: {each['error']}" for each in errors]
        headline = (
            "scores that are the label, or follow it too closely" if leaks else "no evidence can be given"
        )
        raise EvidenceError(listing(f"{path}: {headline}", faults))
    # Nothing is wrong with a table: the task could not write, and its error is told from here.
    for each in ("audit", kind):
        if not standing.document_stands(each):
            write_document(each, standing)
    if not standing.complete(kind):
        write_page(standing)


def _errors(standing: Standing, kind: Kind) -> list[TableError]:
    kinds: Sequence[Kind] = ("audit",) if kind == "audit" else ("audit", "impact")
    parts = [(entry.id, standing.part(each, entry)) for each in kinds for entry in standing.tables(each)]
    found = [(table, PROCESS_DIED if part is None else part.error) for table, part in parts]
    return [{"id": table, "error": error} for table, error in found if error is not None]


def _incomplete(batch: Batch, made: BatchResult) -> BatchError:
    """The error for a batch of which a table failed, or only waits."""
    faults = [f"{table['id']}: {table['error']}" for table in made.report["tables"] if "error" in table]
    kind = InputMissingError if made.exit_code == InputMissingError.exit_code else EvidenceError
    return kind(
        listing(f"{batch.manifest}: the batch is not complete, so there is nothing to look at", faults)
    )


def _result(standing: Standing, kind: Kind) -> EvidenceResult:
    paths = (*document_paths(standing.batch, kind), *document_paths(standing.batch, "page"))
    document = jsontext.parse(files.read_bytes(paths[0]))
    return EvidenceResult(document, paths, files.digest(paths[0]))
