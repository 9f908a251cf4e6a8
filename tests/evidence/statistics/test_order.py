"""Order within a content: pairs of encodes of one clip, counted by hand and by a slow second way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from pipeline.evidence.statistics import order as module
from pipeline.evidence.statistics.order import LabelledContents, Order, order_within
from pipeline.evidence.table import Codes, Floats


def found(values: list[float], labels: list[float], contents: list[int]) -> Order:
    """The order of a column within contents, of which at least one has a pair."""
    order = order_within(np.array(values, float), np.array(labels, float), np.array(contents))
    assert order is not None
    return order


def test_pairs_of_one_content_are_counted() -> None:
    """Two contents of three and two encodes: 4 pairs, one wrong, one tied; the pairs between the contents do not count."""
    order = found([1, 3, 2, 5, 5], [10, 20, 30, 1, 2], [0, 0, 0, 1, 1])
    assert (order.pairs, order.contents) == (4, 2)
    assert order.share == pytest.approx((2 + 0.5) / 4)
    assert order.untied_pairs == 3
    assert order.untied_share == pytest.approx(2 / 3)
    assert order.srcc == pytest.approx(0.5)  # only the first content has three rows
    assert order.srcc_interval == [None, None]


def test_what_tells_only_the_content_is_chance() -> None:
    """The mean of each content orders no pair: half of them by ties, no correlation within contents."""
    order = found([3, 3, 3, 7, 7, 7], [1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1])
    assert (order.share, order.untied_pairs) == (0.5, 0)
    assert np.isnan(order.untied_share)
    assert np.isnan(order.srcc)


@pytest.mark.parametrize("contents", [[0, 1, 2], [-1, -1, -1], [0, -1, -1]])
def test_without_a_pair_there_is_no_order(contents: list[int]) -> None:
    """Single encodes, and rows that name no content, are not compared."""
    assert order_within(np.arange(3.0), np.arange(3.0), np.array(contents)) is None


def test_a_column_without_values_has_no_share() -> None:
    """Contents that have labels, and a column that has nothing in them."""
    order = found([np.nan] * 4, [1, 2, 3, 4], [0, 0, 1, 1])
    assert order.pairs == order.contents == 0
    assert np.isnan(order.share)
    assert order.share_interval == [None, None]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0, 2.0, 1e308, -1e308, np.nan, np.inf]),
            st.sampled_from([0.0, 1.0, 2.0, np.nan]),
            st.integers(-1, 3),
        ),
        max_size=30,
    )
)
def test_it_counts_like_a_loop(rows: list[tuple[float, float, int]]) -> None:
    """Any rows, in any order: pairs, shares and mean coefficient are those of a loop over contents and pairs."""
    values, labels, contents = (np.array(each) for each in zip(*rows, strict=True)) if rows else ([], [], [])
    values, labels = np.array(values, float), np.array(labels, float)
    codes = np.array(contents, np.int64)
    order = order_within(values, labels, codes)
    signs, coefficients = by_loop(values, labels, codes)
    if order is None:
        assert not signs
        return
    assert order.pairs == len(signs)
    assert order.share == pytest.approx(
        np.mean([(each + 1) / 2 for each in signs]) if signs else np.nan, nan_ok=True
    )
    assert order.untied_pairs == sum(each != 0 for each in signs)
    assert order.srcc == pytest.approx(np.mean(coefficients) if coefficients else np.nan, nan_ok=True)


def by_loop(values: Floats, labels: Floats, codes: Codes) -> tuple[list[int], list[float]]:
    """1, 0 or -1 for each pair that is ordered right, tied or wrong, and Spearman's coefficient of each content."""
    signs, coefficients = [], []
    for content in range(4):
        rows = np.flatnonzero((codes == content) & np.isfinite(values) & np.isfinite(labels))
        for a, b in itertools.combinations(rows, 2):
            up, wanted = (int(each[b] > each[a]) - int(each[b] < each[a]) for each in (values, labels))
            signs.append(up * wanted)
        if rows.size > 2 and np.unique(values[rows]).size > 1 and np.unique(labels[rows]).size > 1:
            coefficients.append(float(spearmanr(values[rows], labels[rows]).statistic))
    return signs, coefficients


def test_the_interval_covers_contents() -> None:
    """A column that is right in most contents and wrong in others: the interval is that of the mean over contents."""
    chance = np.random.default_rng(0)
    right = chance.random(200) < 0.7
    values = np.where(right, 1.0, -1.0).repeat(2) * np.tile([0.0, 1.0], 200)
    order = found(list(values), list(np.tile([0.0, 1.0], 200)), list(np.arange(200).repeat(2)))
    low, high = order.share_interval
    assert low is not None
    assert high is not None
    half = 1.96 * np.sqrt(0.7 * 0.3 / 200)
    assert low == pytest.approx(right.mean() - half, abs=0.01)
    assert high == pytest.approx(right.mean() + half, abs=0.01)


def test_large_contents_and_tables_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a content with many rows, and of many contents, so many are compared as the limits say; whole contents stay."""
    assert found(list(range(500)), list(range(500)), [0] * 500).pairs == 50 * 49 / 2
    monkeypatch.setattr(module, "MAX_COMPARED_ROWS", 50)
    prepared = LabelledContents.of(np.arange(300.0), np.arange(300) // 3)
    assert prepared is not None
    assert prepared.rows.size == 48
    assert set(np.bincount(prepared.codes)) == {3}
