"""Whole batches, joined by the project and by the slow and obvious join of `tests.support.oracle`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, event, given, seed, settings

from pipeline.errors import SecondOpinionError
from pipeline.join.materialize import materialize
from pipeline.manifest.options import JoinOptions
from tests.support.batches import Batch, batches
from tests.support.builders import tree
from tests.support.examples import EXAMPLES
from tests.support.oracle.faults import RefusedError
from tests.support.oracle.join import Joined, joined
from tests.support.oracle.tables import read_table

COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def by_the_oracle(batch: Batch, folder: Path) -> Joined | RefusedError:
    """What must come of the batch."""
    try:
        return joined(folder, batch.features, batch.scores, batch.out, batch.options)
    except RefusedError as refused:
        return refused


def join_batch(batch: Batch, folder: Path) -> None:
    """Join the batch, with an audit beside its table."""
    materialize(
        batch.features,
        batch.scores,
        batch.out,
        audit_json="audit.json",
        options=JoinOptions(**batch.options),
        base_dir=folder,
    )


def by_the_project(batch: Batch, folder: Path) -> Joined | SecondOpinionError:
    """What comes of the batch."""
    try:
        join_batch(batch, folder)
    except SecondOpinionError as error:
        return error
    table = read_table(folder / batch.out)
    audit = json.loads((folder / "audit.json").read_text("utf-8"))
    return Joined(table.columns, table.rows, audit)


@settings(COMMON, max_examples=EXAMPLES)
@given(batch=batches())
def test_every_batch_is_joined_or_refused_as_the_rules_say(batch: Batch) -> None:
    """Values, types, order, columns and counts are those of loops and dictionaries; what they refuse, is refused."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        batch.write(folder)
        before = tree(folder)
        expected = by_the_oracle(batch, folder)
        found = by_the_project(batch, folder)
        if isinstance(expected, RefusedError):
            event("refused")
            assert isinstance(found, SecondOpinionError), expected.faults
            assert any(
                type(found).__name__ == fault.kind and fault.says in str(found) for fault in expected.faults
            ), (expected.faults, found)
            assert tree(folder) == before
        else:
            event("joined")
            assert isinstance(found, Joined), found
            assert [repr(row) for row in found.rows] == [repr(row) for row in expected.rows]
            assert found.columns == expected.columns
            assert {name: found.audit[name] for name in expected.audit} == expected.audit


def test_batches_are_worth_joining() -> None:
    """At least a third of the batches can be joined, and every kind of error occurs."""
    kinds: Counter[str] = Counter()

    def look(batch: Batch) -> None:
        with TemporaryDirectory() as name:
            batch.write(Path(name))
            expected = by_the_oracle(batch, Path(name))
        kinds.update(
            {fault.kind for fault in expected.faults} if isinstance(expected, RefusedError) else {"joined"}
        )

    for number in range(20):  # from several starts, as batches that follow each other are much alike
        few = settings(COMMON, max_examples=15, database=None, phases=[Phase.generate])
        seed(number)(few(given(batch=batches())(look)))()
    assert kinds["joined"] >= 100, kinds
    assert set(kinds) == {
        "joined",
        "UsageError",
        "InputMissingError",
        "TableError",
        "SidecarError",
        "JoinError",
    }


def test_the_oracle_shares_nothing_with_the_project() -> None:
    """No file of the oracle imports the package that it is to judge."""
    sharing = [
        path.name
        for path in (Path(__file__).parents[1] / "support" / "oracle").glob("*.py")
        if "pipeline" in path.read_text()
    ]
    assert sharing == []
