"""Luigi: the shards of a table, and the scores that they share.

::

    JoinedTable ──▶ JoinedShard ──▶ PreparedScores ──▶ InputFile
     (its index)        └──────────────────────────────▶ InputFile
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import luigi

from ..errors import (
    InputError,
    SkippedError,
    count,
    listing,
    show,
)
from ..join.large import prepared
from ..join.large.groups import ScoreGroup, score_groups
from ..join.large.shards import index_shards, join_shard
from ..join.matching import Progress
from ..join.materialize import Commit
from ..lineage import datasets
from ..lineage.events import Datasets
from ..manifest.batch import Batch
from ..manifest.entries import FEATURES, TableEntry
from ..manifest.shards import Shard
from ..records.materialized import Materialized
from ..records.receipts import Receipts
from ..report.build import batch_argv
from ..report.freshness import check_table
from ..storage import filenames, writing
from ..storage.locations import Location, located
from .inputs import InputFile
from .lineage_events import BEGUN
from .shared import BatchTask, JoiningTask, recording
from .targets import ScoresTarget, TableTarget


class _PartOfTable(JoiningTask):
    """A task of a table in shards."""

    def _may_begin(self) -> None:
        """:raises SkippedError: another table has failed, and the run is to begin none since."""
        batch = self.batch
        if self.fail_fast_since and Receipts(batch.state_dir).has_failed(batch.tables, self.fail_fast_since):
            raise SkippedError(f"{self.table}: not run, as another table has failed")


class PreparedScores(_PartOfTable):
    """The scores of a group of a table's sidecars, read once for all of its shards."""

    task_namespace = "second_opinion"

    part = luigi.IntParameter(
        description="the group, from 0: sidecars that have no scorer in common with others"
    )

    @property
    def _group(self) -> ScoreGroup:
        return score_groups(self.batch.table(self.table))[self.part]

    def weighed(self) -> Iterable[Location]:
        """The files of the sidecars."""
        scores = self.batch.table(self.table).scores
        return [path for at in self._group for _, path in scores[at].files(self.base)]

    def requires(self) -> list[luigi.Task]:
        """The sidecars."""
        scores = self.batch.table(self.table).scores
        return [InputFile(path=scores[at].path, base_dir=str(self.base)) for at in self._group]

    def output(self) -> ScoresTarget:
        """The prepared scores. They exist only while the sidecars are as they were."""
        batch = self.batch
        return ScoresTarget(batch, batch.table(self.table), self._group)

    def run(self) -> None:
        """Read the sidecars."""
        batch = self.batch
        self._may_begin()
        with recording(self.record_failure):
            folder = batch.scores_dir
            prepared.prepare(batch.table(self.table), self._group, batch.base_dir, folder)

    def lineage_datasets(self, done: bool) -> Datasets:
        """The sidecars; what is prepared is the project's own."""
        return datasets.of_parts(self.batch, self.table, None, done)


class JoinedShard(_PartOfTable):
    """One joined shard of a table."""

    task_namespace = "second_opinion"

    shard = luigi.Parameter(description="the shard's name below the folder of features")

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # luigi only reads it
        """The amounts of Luigi's resources that joining the shard uses, by name: those of its table."""
        return dict(self.batch.table(self.table).resources)

    @property
    def lineage_name(self) -> str:
        """The kind of task, its table and its shard."""
        return f"{super().lineage_name}.{self.shard}"

    @functools.cached_property
    def _shard(self) -> Shard:
        return self.batch.table(self.table).shard(self.shard)

    def weighed(self) -> Iterable[Location]:
        """The shard's features; its scores were read before."""
        return [located(self.base, self._shard.features)]

    def requires(self) -> dict[str, luigi.Task]:
        """The features of the shard, and the scores of its table."""
        shared = {name: getattr(self, name) for name in (*BatchTask.BATCH_PARAMETERS, "fail_fast_since")}
        features = InputFile(path=self._shard.features, base_dir=str(self.base))
        groups = range(len(score_groups(self.batch.table(self.table))))
        scores = {f"scores/{part}": PreparedScores(table=self.table, part=part, **shared) for part in groups}
        return {FEATURES: features, **scores}

    def output(self) -> TableTarget:
        """The joined file. It exists only while it matches the manifest, the features and the sidecars."""
        batch = self.batch
        return TableTarget(batch, batch.table(self.table).of_shard(self._shard))

    def run(self) -> None:
        """Join the shard, and record the result, or the error of its table."""
        batch = self.batch
        self._may_begin()
        if self.complete():
            return  # another worker has joined it since this one looked
        entry = batch.table(self.table)
        self.trigger_event(BEGUN, self)
        record = functools.partial(Receipts(batch.state_dir).record_built, entry.of_shard(self._shard))
        folder = batch.scores_dir
        with recording(self.record_failure):  # the key of a failure looks at every shard
            scores = prepared.prepared(entry, batch.base_dir, folder)
            made = join_shard(
                entry, self._shard, batch.base_dir, scores, folder, lambda _doing, _share: None, record
            )
            record(made)

    def lineage_datasets(self, done: bool) -> Datasets:
        """The features of the shard and the sidecars; the joined file."""
        return datasets.of_parts(self.batch, self.table, self._shard, done)


def index_table(
    batch: Batch, entry: TableEntry, receipts: Receipts, progress: Progress, commit: Commit
) -> Materialized:
    """Judge a table whose shards are joined, and write its index.

    :raises BatchError: the scores do not cover it as it demands, or shards came, went or changed.
    """
    base, folder = batch.base_dir, batch.scores_dir
    writing.make_folder(folder)
    shards = _up_to_date(entry, base, receipts)
    _check_gone(entry, base, receipts.built(entry))
    scores = prepared.prepared(entry, base, folder)

    def commit_if_unchanged(made: Materialized) -> None:
        if _up_to_date(entry, base, receipts).keys() != shards.keys():
            raise _changed(entry)
        commit(made)

    return index_shards(
        entry, base, scores, shards, folder, progress, commit_if_unchanged, batch_argv(batch, "run")
    )


def _up_to_date(entry: TableEntry, base: Location, receipts: Receipts) -> dict[str, Materialized]:
    """The record of each shard by its name.

    :raises InputError: a shard was not joined from the features and the sidecars that are there now.
    """
    checks = {shard.name: check_table(entry.of_shard(shard), base, receipts) for shard in entry.shards(base)}
    built = {name: check.built for name, check in checks.items() if check.complete and check.built}
    if not built or len(built) < len(checks):
        raise _changed(entry)
    return built


def _changed(entry: TableEntry) -> InputError:
    return InputError(
        f"{entry.features.path}: shards or sidecars changed while they were joined; run again when nothing writes to them"
    )


def _check_gone(entry: TableEntry, base: Location, before: Materialized | None) -> None:
    """:raises InputError: a shard has gone, but its joined file is there."""
    known = {} if before is None else before.outputs
    now = {f"out/{shard.name}" for shard in entry.shards(base)}
    left = [each["path"] for role, each in known.items() if role.startswith("out/") and role not in now]
    left = [name for name in left if filenames.exists(located(base, name))]
    if left:
        raise InputError(
            listing(
                f"{entry.features.path}: {count(len(left), 'shard')} of which joined files are there have gone; "
                "bring them back, or remove these files too",
                map(show, left),
            )
        )
