"""The sections of made tables: what declares them, directions, ties, limits, and that equal tables give equal sections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from pipeline.evidence.documents import Sections
from pipeline.evidence.table import Category, EvidenceTable, Floats
from pipeline.storage import jsontext
from pipeline.storage.schema import load_schema, schema_faults
from tests.support.evidence_audits import DOVER, ODD, audited, declared, document
from tests.support.evidence_tables import changed, made_table, noise, quality


def rated(table: EvidenceTable, **changes: Any) -> EvidenceTable:
    """The table with ratings of deviation 0.5, twenty per row."""
    return replace(table, target_sd=np.full(table.rows, 0.5), target_n=np.full(table.rows, 20.0), **changes)


def by_column(sections: Sections) -> dict[str, Any]:
    """The order within contents, by column."""
    return {each["column"]: each for each in sections["order_within_content"]}


def test_without_declarations_there_are_no_sections() -> None:
    """No label: nothing at all but disagreement between scorers; no content, ratings, categories: none of theirs."""
    table = made_table(dover=quality(), other=quality() + noise(1))
    bare = audited(replace(table, target=None, group=None, groups=None))
    assert [each["kind"] for each in bare["disagreements"]] == ["scorers"]
    found = audited(replace(table, group=None, groups=None))
    assert [each["kind"] for each in found["disagreements"]] == ["label", "label", "scorers"]
    for each in (bare, found):
        assert not any((each["order_within_content"], each["categories"], each["rating_agreement"]))
        assert each["ceiling"] is None


def test_a_number_of_ratings_without_their_deviation_is_no_ceiling() -> None:
    """Both are needed; either alone gives nothing."""
    table = rated(made_table())
    for found in (audited(replace(table, target_sd=None)), audited(replace(table, target_n=None))):
        assert found["ceiling"] is None
        assert found["rating_agreement"] == []


def test_scorers_and_the_baseline_are_ordered_within_contents() -> None:
    """All columns that a model may be given stand in the section, scorers first, over the same pairs."""
    found = by_column(audited(made_table()))
    assert list(found) == [DOVER, "blur", "other_0", "other_1", "other_2"]
    assert {each["pairs"] for each in found.values()} == {60}
    assert [each["role"] for each in found.values()] == ["score", *["baseline"] * 4]
    assert found[DOVER]["share"] > 0.7 > found["other_0"]["share"]
    assert found[DOVER]["srcc"] is None  # two rows define no correlation


@pytest.mark.parametrize(
    ("direction", "of_label", "turned"),
    [("higher", "higher", False), ("lower", "higher", True), ("lower", "lower", False), ("higher", "lower", True), (None, "lower", False)],
)  # fmt: skip
def test_a_scorer_is_turned_if_its_direction_is_not_the_label_s(
    direction: Any, of_label: Any, turned: bool
) -> None:
    """A declared direction decides; without one the scorer stands as it is, as the baseline always does."""
    plain = by_column(audited(made_table()))
    found = by_column(
        audited(replace(declared(made_table(), direction=direction), target_direction=of_label))
    )
    assert found[DOVER]["turned"] is turned
    expected = 1 - plain[DOVER]["share"] if turned else plain[DOVER]["share"]
    assert found[DOVER]["share"] == pytest.approx(expected, abs=1e-5)
    assert found["blur"] == plain["blur"]


def test_a_turned_scorer_is_as_good_as_its_mirror() -> None:
    """Scores that are better when lower, and declared so, reach the same figures as their negatives."""
    table = rated(made_table(dover=quality() + noise(1) / 3))
    mirrored = changed(table, {DOVER: -table.columns[DOVER]})
    first = audited(declared(table, direction="higher"))
    second = audited(declared(mirrored, direction="lower"))
    assert first["rating_agreement"][0]["c0"] == second["rating_agreement"][0]["c0"]
    assert first["rating_agreement"][0]["auc_better"] == second["rating_agreement"][0]["auc_better"]
    assert by_column(first)[DOVER]["share"] == by_column(second)[DOVER]["share"]


def test_categories_are_measured_each_in_itself() -> None:
    """A scorer that tells two corpora apart and nothing else correlates in the table, and in neither corpus."""
    table = made_table(dover=np.where(np.arange(120) < 60, 0.0, 9.0) + noise(5) / 9)
    label = table.columns["mos"] + np.where(np.arange(120) < 60, 0.0, 9.0)
    corpora = Category("corpus", ("a", "b"), np.where(np.arange(120) < 60, 0, 1))
    found = audited(replace(changed(table, {"mos": label}), categories=(corpora,)))
    (section,) = found["categories"]
    assert (section["column"], section["kind"], section["values"]) == ("corpus", "category", 2)
    assert [(each["value"], each["n"]) for each in section["shown"]] == [("a", 60), ("b", 60)]
    assert found["signals"][-1]["target"] is not None
    assert (found["signals"][-1]["target"]["spearman"] or 0) > 0.7
    pooled = audited(replace(changed(table, {"mos": label}), corpora=corpora))["categories"]
    assert pooled == [{**section, "kind": "corpus"}]
    for each in section["shown"]:
        (scorer,) = each["scorers"]
        low, high = scorer["intervals"]["srcc"]
        assert low is not None
        assert high is not None
        assert low < (scorer["srcc"] or 0) < high
        assert abs(scorer["srcc"] or 1) < 0.35


def test_small_and_many_values() -> None:
    """Values with few rows show their number alone; of many, those with most rows are shown and the rest are counted."""
    codes = np.append(np.repeat(np.arange(40), [40, 7, *[1] * 38]), np.full(35, -1))
    kinds = Category("kind", tuple(f"k{at:02}" for at in range(40)), codes)
    (section,) = audited(replace(made_table(), categories=(kinds,)))["categories"]
    assert (section["kind"], section["values"], len(section["shown"])) == ("category", 40, 30)
    assert [each["n"] for each in section["shown"][:3]] == [40, 7, 1]
    assert (section["omitted_rows"], section["unnamed_rows"]) == (10, 35)
    large, small = (each["scorers"][0] for each in section["shown"][:2])
    assert large["srcc"] is not None
    assert small == {"label": "dover", "n": 7, "srcc": None, "plcc": None, "intervals": {"srcc": [None, None], "plcc": [None, None]}}  # fmt: skip


def test_the_rows_that_differ_most_are_listed_by_key() -> None:
    """One clip has a wrong label: it is first, with its score, its label, and what the curve makes of the score."""
    table = made_table()
    table.columns["mos"][17] += 9
    first = audited(table)["disagreements"][0]
    assert (first["kind"], first["columns"], first["n"], len(first["rows"])) == (
        "label",
        [DOVER, "mos"],
        120,
        10,
    )
    row = first["rows"][0]
    assert row["key"] == "clip_17"
    assert row["values"] == pytest.approx([table.columns[DOVER][17], table.columns["mos"][17]], rel=1e-5)
    assert row["difference"] == pytest.approx(row["compared"][1] - row["compared"][0], abs=1e-4)
    sizes = [abs(each["difference"]) for each in first["rows"]]
    assert sizes == sorted(sizes, reverse=True)


def test_ties_are_listed_by_key() -> None:
    """Two scorers that differ equally in every row: the first ten keys, in their order."""
    scores = np.arange(120.0)
    table = made_table(a=scores, b=scores.reshape(-1, 2)[:, ::-1].ravel())
    keys = [f"k{at:03}" for at in np.random.default_rng(0).permutation(120)]
    found = audited(replace(table, keys=pa.array(keys)))["disagreements"][-1]
    assert {abs(row["difference"]) for row in found["rows"]} == {round(1 / 120, 8)}
    assert [row["key"] for row in found["rows"]] == [f"k{at:03}" for at in range(10)]


def test_the_reference_metric_and_scorers_are_compared_by_rank() -> None:
    """A scorer that is better when lower is ranked the other way round; equal orders have no list."""
    table = made_table(a=quality(), b=-quality())
    table = changed(table, {"vmaf": np.exp(quality())}, reference_metric="vmaf")
    assert [each["kind"] for each in audited(table)["disagreements"]] == [
        "label",
        "label",
        "reference",
        "scorers",
    ]
    turned = [replace(each, direction="lower" if each.label == "b" else None) for each in table.scorers]
    assert [each["kind"] for each in audited(replace(table, scorers=tuple(turned)))["disagreements"]] == [
        "label",
        "label",
    ]


def test_the_ceiling_is_of_the_rows_that_know_their_ratings() -> None:
    """Rows without a deviation or with one rating are left out; scorers are on the way to it."""
    table = rated(made_table())
    assert table.target_sd is not None
    assert table.target_n is not None
    table.target_sd[:10], table.target_n[10:20] = np.nan, 1
    found = audited(table)["ceiling"]
    assert found is not None
    assert found["rows"] == 100
    assert found["rmse"] == pytest.approx(0.5 / 20**0.5, abs=1e-5)
    (scorer,) = found["scorers"]
    assert scorer["n"] == 120
    assert 0.8 < (scorer["share"] or 0) < 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ODD, ODD, ODD, ODD)
def test_any_columns_have_sound_sections(score: Floats, label: Floats, sd: Floats, n: Floats) -> None:
    """Constant, empty, infinite and huge values give sections of the schema, without a warning."""
    table = changed(
        made_table(contents=6, dover=np.where(np.isinf(score), np.nan, score), other=quality(6)),
        {"mos": label},
        target_sd=sd,
        target_n=n,
        reference_metric="blur",
        categories=(Category("kind", ("a", "b"), np.arange(12) % 3 - 1),),
    )
    found = document(audited(table))
    assert schema_faults(found, load_schema("audit")) == ()


def test_the_order_of_rows_does_not_matter() -> None:
    """The sections of a shuffled table are the same, but for draws of contents and the last digits of the fitted curve."""
    table = rated(made_table(dover=quality() + noise(1) / 3, other=quality() + noise(2)))
    order = np.random.default_rng(1).permutation(table.rows)
    assert table.groups is not None
    shuffled = replace(
        table,
        keys=table.keys.take(pa.array(order)),
        columns={name: values[order] for name, values in table.columns.items()},
        groups=table.groups[order],
    )
    first, second = audited(table), audited(shuffled)
    for before, after in zip(first["disagreements"], second["disagreements"], strict=True):
        assert [row["key"] for row in before["rows"]] == [row["key"] for row in after["rows"]]
        assert [row["difference"] for row in before["rows"]] == pytest.approx(
            [row["difference"] for row in after["rows"]], rel=1e-4
        )
    for one, same in zip(first["rating_agreement"], second["rating_agreement"], strict=True):
        for figure in ("pairs", "different_pairs", "auc_different", "auc_better", "c0"):
            assert one[figure] == same[figure]
    for name, each in by_column(first).items():
        other = by_column(second)[name]
        assert {**each, "intervals": None} == {**other, "intervals": None}


def test_equal_tables_give_equal_bytes() -> None:
    """Two audits of one table have the same sections to the byte."""
    first, second = (document(audited(rated(made_table()))) for _ in range(2))
    assert jsontext.canonical(first) == jsontext.canonical(second)
