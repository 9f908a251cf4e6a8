"""Luigi tasks: the parts of tables and of pairs of them, and two documents that are written after the batch's report."""

from __future__ import annotations

from functools import cached_property, partial
from typing import ClassVar

import luigi

from ..errors import BatchError
from ..lineage import datasets
from ..lineage.events import Datasets
from ..manifest.entries import TableEntry
from ..storage import locations
from ..tasks.graph import BatchReport
from ..tasks.lineage_events import BEGUN
from ..tasks.shared import BatchTask, PathParameter, TableTask, recording
from ..tasks.targets import ReadOnlyTarget
from .state import EvidenceState, Kind, Part, PartKind, Result, document_paths


class PartTarget(luigi.Target):
    """The part of one table or of two; it exists while its inputs are unchanged."""

    def __init__(self, state: EvidenceState, kind: PartKind, entries: tuple[TableEntry, ...]) -> None:
        self._state, self._kind, self._entries = state, kind, entries

    def exists(self) -> bool:
        """Whether the part is up to date."""
        return self._state.has_part(self._kind, *self._entries)


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
        return EvidenceState(self.batch, locations.given(self.families) if self.families else None)

    @cached_property
    def shared(self) -> dict[str, str]:
        """The parameters of every task of the batch's evidence."""
        return {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "families")}

    def report(self) -> BatchReport:
        """The report of the batch, which comes first."""
        return BatchReport(**{name: getattr(self, name) for name in BatchTask.BATCH_PARAMETERS})


class _TablePart(_EvidenceTask, TableTask):
    """One table's part of a document."""

    kind: ClassVar[PartKind]

    def entries(self, state: EvidenceState) -> tuple[TableEntry, ...]:
        """The tables of the part."""
        return (state.batch.table(self.table),)

    def is_worth_a_process(self) -> bool:
        """It does: it takes seconds to minutes."""
        return True

    def output(self) -> PartTarget:
        """The recorded part."""
        state = self.state
        return PartTarget(state, self.kind, self.entries(state))

    def run(self) -> None:
        """Compute the part, and record it or the error, unless another worker has done so since this one looked."""
        from .work import compute_part

        state = self.state
        entries = self.entries(state)
        if state.has_part(self.kind, *entries):
            return
        self.trigger_event(BEGUN, self)
        identity = state.identity(self.kind, *entries)
        if identity is None:
            raise BatchError(f"{self.table}: the table changed while its evidence was computed; run again")
        with recording(partial(self.record_failure, state=state)):
            body = compute_part(self.kind, state, *entries)
            state.record_part(self.kind, Result(identity, body), *entries)

    def lineage_datasets(self, done: bool) -> Datasets:
        """The joined tables; the recorded part."""
        state = self.state
        entries = self.entries(state)
        part = datasets.of_files([state.part_path(self.kind, *entries)], done)
        return {"inputs": [datasets.joined(state.batch, entry) for entry in entries], "outputs": part}

    def record_failure(self, exc: Exception, state: EvidenceState | None = None) -> None:
        """Record why there is no part, unless a table changed meanwhile: then nothing is known of the new one.

        :param state: the state that the task began with; None: the state now.
        :raises BatchError: the record cannot be written.
        """
        state = state or self.state
        entries = self.entries(state)
        identity = state.identity(self.kind, *entries)
        if identity is not None:
            state.record_part(self.kind, Result(identity, None, self.message(exc)), *entries)


class TableAudit(_TablePart):
    """Which signals one joined table holds, and how they correlate with its label."""

    task_namespace = "second_opinion"
    kind: ClassVar[PartKind] = "audit"

    def requires(self) -> BatchReport:
        """The whole batch: evidence is of what its report cites."""
        return self.report()


class TableImpact(_TablePart):
    """What the scores of one joined table are worth to a model."""

    task_namespace = "second_opinion"
    kind: ClassVar[PartKind] = "impact"

    def requires(self) -> SignalMixAudit:
        """The audit, which stops where a score is the label."""
        return SignalMixAudit(**self.shared)


class TableLearning(_TablePart):
    """How good models of one joined table are after how many labelled contents."""

    task_namespace = "second_opinion"
    kind: ClassVar[PartKind] = "learning"

    def requires(self) -> TableImpact:
        """The table's impact, which says whether a model can be trained, and which."""
        return TableImpact(table=self.table, **self.shared)


class TableTransfer(_TablePart):
    """What models that are trained on one joined table predict of another."""

    task_namespace = "second_opinion"
    kind: ClassVar[PartKind] = "transfer"

    tested = luigi.Parameter(description="the id of the table that is tested")

    def entries(self, state: EvidenceState) -> tuple[TableEntry, ...]:
        """The table that is trained on, and the one that is tested."""
        return (state.batch.table(self.table), state.batch.table(self.tested))

    def requires(self) -> list[TableImpact]:
        """The impact of both, which says whether a model can be trained, and which."""
        return [TableImpact(table=table, **self.shared) for table in (self.table, self.tested)]


class _Document(_EvidenceTask):
    """A document of the evidence, and the page."""

    kind: ClassVar[Kind]

    def output(self) -> DocumentTarget:
        """The document, the audit that it cites, and the page."""
        return DocumentTarget(self.state, self.kind)

    def run(self) -> None:
        """Write the document and the page, unless another worker has written them since this one looked.

        :raises EvidenceError: a score follows the label too closely.
        """
        from .work import write_document

        state = self.state
        if not state.complete(self.kind):
            self.trigger_event(BEGUN, self)
            write_document(self.kind, state)

    def lineage_datasets(self, done: bool) -> Datasets:
        """The report, the parts of the tables and the audit; both forms of the document, and the page."""
        state = self.state
        batch = state.batch
        cited = [batch.report_json, *(document_paths(batch, "audit")[:1] if self.kind == "impact" else [])]
        parts = [state.part_path(kind, *entries) for kind, entries in state.parts(self.kind)]
        written = [*document_paths(batch, self.kind), *document_paths(batch, "page")]
        return {
            "inputs": datasets.of_files([*cited, *parts], done),
            "outputs": datasets.of_files(written, done),
        }


class SignalMixAudit(_Document):
    """What the joined tables of a batch cover."""

    task_namespace = "second_opinion"
    kind: ClassVar[Kind] = "audit"

    def requires(self) -> list[TableAudit]:
        """Every table."""
        return [TableAudit(table=entry.id, **self.shared) for entry in self.state.tables("audit")]


class RetrainImpact(_Document):
    """What the scores of a batch are worth to models that are trained with them."""

    task_namespace = "second_opinion"
    kind: ClassVar[Kind] = "impact"

    full = luigi.BoolParameter(description="also learning curves, and transfer between tables")

    @property
    def state(self) -> EvidenceState:
        """The state of the evidence now."""
        return EvidenceState(
            self.batch, locations.given(self.families) if self.families else None, full=self.full
        )

    def requires(self) -> list[luigi.Task]:
        """The audit, every table with a label, and in full every pair of them."""
        state = self.state
        tables = [TableImpact(table=entry.id, **self.shared) for entry in state.tables("impact")]
        more = [self._full_task(part) for part in state.full_parts()] if self.full else []
        return [SignalMixAudit(**self.shared), *tables, *more]

    def _full_task(self, part: Part) -> luigi.Task:
        kind, (entry, *others) = part
        if kind == "learning":
            return TableLearning(table=entry.id, **self.shared)
        return TableTransfer(table=entry.id, tested=others[0].id, **self.shared)
