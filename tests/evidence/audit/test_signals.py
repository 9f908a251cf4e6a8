"""Which columns are signals, what their values are like, and which families they cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.evidence.audit.signals import SignalColumn, coverage_of, excluded_of, signals_of, statistics_of
from pipeline.evidence.table import EvidenceTable, Floats
from pipeline.manifest.families import Families, load_families
from tests.support.evidence_tables import changed, made_table

FAMILIES = load_families()
ROWS = 120
VALUES = arrays.arrays(np.float64, st.integers(0, 40), elements=st.floats(width=64))


def table_with(*names: str, **changes: object) -> EvidenceTable:
    """The made table with more columns of that name."""
    values = np.linspace(0.0, 1.0, ROWS)
    return changed(made_table(), dict.fromkeys(names, values), **changes)


def found(table: EvidenceTable, families: Families = FAMILIES) -> dict[str, SignalColumn]:
    """The signals of a table by their columns."""
    return {each.column: each for each in signals_of(table, families)}


def test_signals_stand_in_the_order_of_the_table_with_their_roles() -> None:
    """Joined scores, columns of the baseline and others are told apart; the label is no signal."""
    table = table_with("vmaf")
    assert [(each.column, each.role, each.family) for each in signals_of(table, FAMILIES)] == [
        ("blur", "baseline", "noise_grain_blur"),
        ("other_0", "baseline", "unassigned"),
        ("other_1", "baseline", "unassigned"),
        ("other_2", "baseline", "unassigned"),
        ("second_opinion_dover_score", "score", "no_reference"),
        ("vmaf", "other", "full_reference"),
    ]


@pytest.mark.parametrize(
    "column",
    [
        *("second_opinion_dover_runtime_ms", "second_opinion_dover_frames", "nb_frames", "runtime_ms"),
        *("clip_id", "flickr_id", "path", "sha256", "split", "fold"),
        *(
            "mos_std_dev",
            "n_ratings",
            "sos_j",
            "MOSFull",
            "MOSChunk05",
            "stdFull",
            "stdChunk00",
            "x_Subjects",
        ),
        *("second_opinion_dover_status", "second_opinion_dover_source"),
    ],
)
def test_what_is_no_signal(column: str) -> None:
    """Accounts of a run, names, splits and what is derived from ratings are none, whatever their values."""
    table = table_with(column)
    assert column not in found(table)
    assert column in dict(excluded_of(table, FAMILIES))


def test_a_score_is_a_signal_whatever_its_name() -> None:
    """A scorer called after a label or another family's metric is a no-reference score, so that a leak can be seen."""
    labels = ("mos", "vmaf_runtime_ms", "clip_id", "roi_psnr")
    values = np.linspace(0.0, 1.0, ROWS)
    table = made_table(mos=values, vmaf_runtime_ms=values, clip_id=values, roi_psnr=values)
    scores = {name: each.family for name, each in found(table).items() if each.role == "score"}
    assert scores == {f"second_opinion_{label}_score": "no_reference" for label in labels}
    assert dict(excluded_of(table, FAMILIES)) == {}


@pytest.mark.parametrize(
    ("column", "family"),
    [
        ("second_opinion_region_of_interest_score", "no_reference"),
        ("second_opinion_musiq_score", "no_reference"),
        ("second_opinion_musiq_seconds", None),
    ],
)
def test_scores_of_an_earlier_join_are_no_reference_first(column: str, family: str | None) -> None:
    """What an earlier join appended is a score, or no signal."""
    signal = found(table_with(column)).get(column)
    assert (signal and signal.family) == family


def test_statistics_are_those_of_the_finite_values() -> None:
    """What is missing or infinite counts for the share alone."""
    statistics = statistics_of(np.array([1.0, 2.0, 6.0, np.nan, np.inf]))
    assert (statistics.finite_share, statistics.mean, statistics.min, statistics.max) == (0.6, 3.0, 1.0, 6.0)
    assert statistics.std == pytest.approx(np.std([1, 2, 6]))


@pytest.mark.parametrize(
    ("values", "healthy"),
    [
        ([*range(8), np.nan, np.nan], True),
        ([*range(7), np.nan, np.nan, np.nan], False),
        ([*range(8), np.inf, -np.inf], True),
        ([0.1] * 10, False),
        ([1e6 + 0.1] * 10, False),
        ([0.0] * 9 + [1e-11], True),
        ([np.nan] * 10, False),
        ([1e308, -1e308] * 5, True),
        ([], False),
    ],
)
def test_a_healthy_column_has_enough_values_that_differ(values: list[float], healthy: bool) -> None:
    """At least 80 % are finite and their standard deviation is above 1e-12; a constant is one, however rounded."""
    assert statistics_of(np.array(values, float)).healthy == healthy


@given(VALUES)
def test_statistics_keep_their_bounds(values: Floats) -> None:
    """Whatever a column holds, the mean lies between the extremes, and nothing warns or overflows."""
    statistics = statistics_of(values)
    assert 0 <= statistics.finite_share <= 1
    if statistics.finite_share:
        assert statistics.min <= statistics.max
        slack = 1e-9 * max(abs(statistics.min), abs(statistics.max))
        assert statistics.min - slack <= statistics.mean <= statistics.max + slack
        assert 0 <= statistics.std <= max(abs(statistics.min), abs(statistics.max)) + slack


def test_a_family_is_missing_weak_or_covered() -> None:
    """Without a column, without a healthy one, and with one."""
    table = changed(
        made_table(),
        {
            "psnr": np.linspace(0.0, 1.0, ROWS),
            "mse": np.zeros(ROWS),
            "ssim": np.full(ROWS, 0.5),
            "gmsd": np.full(ROWS, np.nan),
        },
    )
    families = {each["name"]: each for each in coverage_of(signals_of(table, FAMILIES), FAMILIES)}
    told = {
        name: (families[name]["status"], families[name]["columns"], families[name]["healthy"])
        for name in ("error_energy", "structural_similarity", "saliency_roi")
    }
    assert told == {
        "error_energy": ("covered", ["psnr", "mse"], ["psnr"]),
        "structural_similarity": ("weak", ["ssim", "gmsd"], []),
        "saliency_roi": ("missing", [], []),
    }


@given(
    st.lists(st.sampled_from(["psnr", "ssim", "vmaf", "cambi", "lpips", "roi", "hdr", "width"]), unique=True)
)
def test_every_signal_stands_in_one_family_at_most(names: list[str]) -> None:
    """The columns of all families are the assigned signals, each once."""
    signals = signals_of(table_with(*names), FAMILIES)
    covered = coverage_of(signals, FAMILIES)
    columns = [column for each in covered for column in each["columns"]]
    assert sorted(columns) == sorted(each.column for each in signals if each.family != "unassigned")
    for each in covered:
        assert set(each["healthy"]) <= set(each["columns"])
        assert (each["status"] == "missing") == (not each["columns"])
        assert (each["status"] == "covered") == bool(each["healthy"])
