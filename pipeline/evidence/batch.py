"""Evidence of a batch on demand: complete the batch, then its audit, then its impact."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BatchError, EvidenceError, InputMissingError, OutputError, UsageError, listing
from ..manifest.batch import Batch
from ..storage import files, jsontext, writing
from ..storage.locations import Location
from ..tasks import runlog
from ..tasks.run import BatchResult, run_batch, unrecorded
from .documents import TableAudit, TableError
from .state import DOCUMENTS, EvidenceState, Kind, check_paths, document_paths, failed_paths

_COOL_DOWN_SECONDS = 15.0
"""luigid ignores a task for 10 s after it is done (stable_done_cooldown_secs); wait longer than that."""


@dataclass(frozen=True)
class EvidenceResult:
    """The evidence that was written.

    Attributes:
        document: the audit or the impact.
        paths: its files, and the page.
        sha256: the digest of its JSON.
    """

    document: dict[str, Any] = field(repr=False)
    paths: tuple[Location, ...]
    sha256: str


def give_evidence(
    batch: Batch,
    kind: Kind,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    families: Location | None = None,
    full: bool = False,
) -> EvidenceResult:
    """Bring a batch and its evidence up to date.

    :param kind: "audit": what the tables cover; "impact": also what the scores are worth.
    :param workers: number of processes.
    :param scheduler: URL of a luigid; None: the scheduler in this process.
    :param families: a file of families of signals; None: the package's.
    :param full: whether the impact has learning curves and transfers, which train many more models.
    :raises UsageError: no table has a label, a library is missing, or a file of the evidence is used by the batch.
    :raises EvidenceError: the batch is not complete, a table lacks a requested column, or a score is the label.
    :raises BatchError: as `run_batch`.
    """
    state = EvidenceState(batch, families, full=full)
    if not state.tables(kind):
        raise UsageError(
            f"{batch.manifest}: no table has evidence with a target; the impact of scores is measured on a label"
        )
    check_paths(batch)
    state.families_sha256  # noqa: B018  # reports an unreadable file before any table is joined
    result = run_batch(batch, workers=workers, scheduler=scheduler)
    if result.exit_code:
        raise _incomplete(batch, result)
    state = EvidenceState(batch, families, full=full)
    if not state.complete(kind):
        state = _build(state, kind, workers, scheduler)
    for path in failed_paths(batch, kind):
        writing.remove(path)
    return _result(state, kind)


def _build(state: EvidenceState, kind: Kind, workers: int, scheduler: str | None) -> EvidenceState:
    """Run Luigi on what is missing, as a run of the batch of its own; the files show the result."""
    from ..lineage import runs
    from ..tasks import scheduling
    from ..tasks.graph import BatchReport
    from ..tasks.shared import PROCESS_DIED
    from . import work  # noqa: F401  # seconds of imports, which each forked process would repeat for its one part
    from .tasks import RetrainImpact, SignalMixAudit

    batch = state.batch
    report = BatchReport.of(batch)
    parameters = {name: getattr(report, name) for name in BatchReport.BATCH_PARAMETERS}
    parameters |= {"families": str(state.families or "")} | ({"full": state.full} if kind == "impact" else {})
    root = (SignalMixAudit if kind == "audit" else RetrainImpact)(**parameters)
    written = [path for name in DOCUMENTS for path in document_paths(batch, name)]
    failed: set[str] = set()

    def note(table: str, complete: bool) -> None:
        (failed.discard if complete else failed.add)(table)

    def read() -> EvidenceState:
        return EvidenceState(batch, state.families, full=state.full)

    def is_open(after: EvidenceState, waited: float) -> bool:
        """Whether another worker may still complete the evidence: it is incomplete, and no failure is known."""
        known = any(each["error"] != PROCESS_DIED for each in _errors(after, kind)) or _leaks(after)
        if known or after.complete(kind):
            return False
        return waited <= _COOL_DOWN_SECONDS or scheduling.is_running(root, scheduler)

    started = time.time()
    with scheduling.held(batch, scheduler), runs.batch_run(batch):
        asked = scheduling.Work(batch, root, written, read, is_open, note)
        after = scheduling.complete(asked, workers, scheduler)
        if not after.complete(kind):
            _fail(after, kind, failed)
        if unsent := runs.end(batch, "COMPLETE"):
            with contextlib.suppress(OutputError):  # no evidence depends on its lineage
                runlog.append(batch, started, {}, workers, unsent)
    return after


def _leaks(state: EvidenceState) -> list[str]:
    from .work import leak_faults

    parts = [state.part("audit", entry) for entry in state.batch.tables]
    audits: list[TableAudit] = [part.body for part in parts if part and part.body]  # type: ignore[misc]  # from its own JSON
    return leak_faults(audits)


def _fail(state: EvidenceState, kind: Kind, failed: Iterable[str]) -> None:
    """Write `*.audit.failed.*` and raise the error.

    :param failed: the tables that Luigi reported as failed, whether they recorded why or not.
    :raises EvidenceError: a table failed.
    :raises BatchError: a document cannot be written, or a table changed meanwhile.
    """
    from .work import write_document, write_failed, write_page

    errors, leaks = _errors(state, kind), _leaks(state)
    if not (errors or leaks) and state.check.tables_complete:
        errors = [{"id": table, "error": unrecorded(state.batch)} for table in sorted(failed)]
    if leaks or errors:
        path = write_failed(state, errors)
        faults = leaks or [f"{each['id']}: {each['error']}" for each in errors]
        headline = (
            "scores that are the label, or follow it too closely" if leaks else "no evidence can be given"
        )
        raise EvidenceError(listing(f"{path}: {headline}", faults))
    # No table failed, so the task could not write its files: write them here, so that the error is raised here.
    for each in ("audit", kind):
        if not state.document_is_current(each):
            write_document(each, state)
    if not state.complete(kind):
        write_page(state)


def _errors(state: EvidenceState, kind: Kind) -> list[TableError]:
    """The recorded errors of the parts that the document is built from."""
    kinds: Sequence[Kind] = ("audit",) if kind == "audit" else ("audit", "impact")
    parts = [(entries, state.part(each, *entries)) for kind in kinds for each, entries in state.parts(kind)]
    return [
        {"id": " to ".join(entry.id for entry in entries), "error": part.error}
        for entries, part in parts
        if part is not None and part.error is not None
    ]


def _incomplete(batch: Batch, result: BatchResult) -> BatchError:
    """The error for a batch with a table that failed or waits."""
    faults = [f"{table['id']}: {table['error']}" for table in result.report["tables"] if "error" in table]
    kind = InputMissingError if result.exit_code == InputMissingError.exit_code else EvidenceError
    return kind(listing(f"{batch.manifest}: the batch is not complete, so it has no evidence yet", faults))


def _result(state: EvidenceState, kind: Kind) -> EvidenceResult:
    paths = (*document_paths(state.batch, kind), *document_paths(state.batch, "page"))
    document = jsontext.parse(files.read_bytes(paths[0]))
    return EvidenceResult(document, paths, files.digest(paths[0]))
