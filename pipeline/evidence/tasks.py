"""Luigi tasks: a part for each table, and two documents that are written from the parts after the batch's report."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar

import luigi

from ..errors import BatchError
from ..tasks.graph import BatchReport, BatchTask, PathParameter, TableTask, recording
from ..tasks.targets import ReadOnlyTarget
from .state import EvidenceState, Kind, Result, document_paths


class PartTarget(luigi.Target):
    """The part of one table; it exists while its inputs are unchanged."""

    def __init__(self, state: EvidenceState, kind: Kind, table: str) -> None:
        self._state, self._kind = state, kind
        self._entry = state.batch.table(table)

    def exists(self) -> bool:
        """Whether the part is up to date."""
        part = self._state.part(self._kind, self._entry)
        return part is not None and part.body is not None


class DocumentTarget(ReadOnlyTarget):
    """A document of evidence. It exists only while it, the documents that it is built from and the page are up to date.

    Attributes:
        path: the document in JSON.
    """

    def __init__(self, state: EvidenceState, kind: Kind) -> None:
        super().__init__(document_paths(state.batch, kind)[0])
        self._state, self._kind = state, kind

    def exists(self) -> bool:
        """Whether all of these files are up to date."""
        return self._state.complete(self._kind)


class _EvidenceTask(BatchTask):
    families = PathParameter(default="", description="file of families of signals; default: the package's")

    @property
    def state(self) -> EvidenceState:
        """The state of the evidence now."""
        return EvidenceState(self.batch, Path(self.families) if self.families else None)

    @cached_property
    def shared(self) -> dict[str, str]:
        """The parameters of every task of the batch's evidence."""
        return {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "families")}

    def report(self) -> BatchReport:
        """The report of the batch, which comes first."""
        return BatchReport(**{name: getattr(self, name) for name in BatchTask.BATCH_PARAMETERS})


class _TablePart(_EvidenceTask, TableTask):
    """One table's part of a document."""

    kind: ClassVar[Kind]

    def is_worth_a_process(self) -> bool:
        """It does: it takes seconds to minutes."""
        return True

    def output(self) -> PartTarget:
        """The recorded part."""
        return PartTarget(self.state, self.kind, self.table)

    def run(self) -> None:
        """Compute the part, and record it or the error."""
        from .work import compute_part

        state = self.state
        entry = state.batch.table(self.table)
        identity = state.identity(self.kind, entry)
        if identity is None:
            raise BatchError(f"{self.table}: the table changed while its evidence was computed; run again")
        with recording(partial(self.record_failure, state=state)):
            body = compute_part(self.kind, state, entry)
            state.record_part(self.kind, entry, Result(identity, body))

    def record_failure(self, exc: Exception, state: EvidenceState | None = None) -> None:
        """Record why there is no part, unless the table changed meanwhile: then nothing is known of the new one.

        :param state: the state that the task began with; None: the state now.
        :raises BatchError: the record cannot be written.
        """
        state = state or self.state
        entry = state.batch.table(self.table)
        identity = state.identity(self.kind, entry)
        if identity is not None:
            state.record_part(self.kind, entry, Result(identity, None, self.message(exc)))


class TableAudit(_TablePart):
    """Which signals one joined table holds, and how they correlate with its label."""

    task_namespace = "second_opinion"
    kind: ClassVar[Kind] = "audit"

    def requires(self) -> BatchReport:
        """The whole batch: evidence is of what its report cites."""
        return self.report()


class TableImpact(_TablePart):
    """What the scores of one joined table are worth to a model."""

    task_namespace = "second_opinion"
    kind: ClassVar[Kind] = "impact"

    def requires(self) -> SignalMixAudit:
        """The audit, which stops where a score is the label."""
        return SignalMixAudit(**self.shared)


class SignalMixAudit(_EvidenceTask):
    """What the joined tables of a batch cover."""

    task_namespace = "second_opinion"

    def requires(self) -> list[TableAudit]:
        """Every table."""
        return [TableAudit(table=entry.id, **self.shared) for entry in self.state.tables("audit")]

    def output(self) -> DocumentTarget:
        """The audit and the page."""
        return DocumentTarget(self.state, "audit")

    def run(self) -> None:
        """Write both; where a score is the label, say so instead.

        :raises EvidenceError: a score follows the label too closely.
        """
        from .work import write_document

        write_document("audit", self.state)


class RetrainImpact(_EvidenceTask):
    """What the scores of a batch are worth to models that are trained with them."""

    task_namespace = "second_opinion"

    def requires(self) -> list[luigi.Task]:
        """The audit, and every table with a label."""
        tables = [TableImpact(table=entry.id, **self.shared) for entry in self.state.tables("impact")]
        return [SignalMixAudit(**self.shared), *tables]

    def output(self) -> DocumentTarget:
        """The impact, the audit and the page."""
        return DocumentTarget(self.state, "impact")

    def run(self) -> None:
        """Write the impact, and the page once more with it."""
        from .work import write_document

        write_document("impact", self.state)
