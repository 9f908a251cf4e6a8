"""Figures of the sections on real corpora, where their files are at hand, as code that shares nothing with this found them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.optimize import curve_fit

from pipeline.evidence.audit.sections.build import sections_of
from pipeline.evidence.audit.sections.scores import labelled_scores
from pipeline.evidence.documents import Sections
from pipeline.evidence.statistics.order import order_within
from pipeline.evidence.statistics.ratings.accuracy import Accuracy
from pipeline.evidence.table import Category, EvidenceTable, Floats, ScoreColumn
from tests.support.builders import read_jsonl
from tests.support.evidence_tables import column

DATA = Path(__file__).parents[5] / "shared" / "data"
LABELS = {"konvid_1k": ("flickr_id", "mos"), "youtube_ugc": ("vid", "MOSFull")}
TOLERANCE = 0.002

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the corpora are not free to ship; they are expected in ../shared/data"
)


@functools.cache
def frame(corpus: str) -> pd.DataFrame:
    """A corpus by key, with `key`, `mos`, DOVER's two aspects and their fusion; rows without scores have none."""
    key, label = LABELS[corpus]
    features = pd.read_parquet(DATA / corpus / "features.parquet")
    features["key"] = features[key].astype(str)
    features["mos"] = features[label].astype(float)
    for aspect, field in (("technical", "score"), ("aesthetic", "predicted_mos")):
        rows = read_jsonl(DATA / corpus / f"dover-{aspect}.jsonl")
        names = [Path(row["path"]).name.removesuffix(".mp4").partition("_crf_")[0] for row in rows]
        features[aspect] = features["key"].map(dict(zip(names, (row[field] for row in rows), strict=True)))
    z = {
        each: (features[each] - features[each].mean()) / features[each].std()
        for each in ("technical", "aesthetic")
    }
    return features.assign(fused=0.6104 * z["technical"] + 0.3896 * z["aesthetic"])


def table(rows: pd.DataFrame, *scorers: str, **declared: Any) -> EvidenceTable:
    """The table of these rows, each a content of its own, with these columns as scorers that are better when higher."""
    columns = {"mos": rows["mos"].to_numpy(np.float64)}
    columns |= {column(each): rows[each].to_numpy(np.float64) for each in scorers}
    return EvidenceTable(
        id="corpus",
        out="joined.parquet",
        corpus="corpus",
        rows=len(rows),
        keys=pa.array(rows["key"].to_list()),
        columns=columns,
        target="mos",
        group=None,
        groups=np.arange(len(rows)),
        baseline=(),
        scorers=tuple(ScoreColumn(each, column(each), "higher") for each in scorers),
        statuses={},
        **declared,
    )


def sections(rows: pd.DataFrame, *scorers: str, **declared: Any) -> Sections:
    """The sections of that table."""
    made = table(rows, *scorers, **declared)
    return sections_of(made, labelled_scores(made))


def category(rows: pd.DataFrame, name: str) -> Category:
    """A column of names as a table holds it."""
    codes, values = pd.factorize(rows[name])
    return Category(name, tuple(values), codes.astype(np.int64))


def test_bitrate_orders_the_encodes_of_a_content() -> None:
    """CHUG without its references: 12,840 pairs, .89276 of them right; of those that differ in both .92081; mean SRCC .89797."""
    rungs, contents, bitrate = ladder()
    encodes = rungs["ref"].to_numpy() == 0
    found = order_within(bitrate, np.where(encodes, rungs["mos_j"], np.nan), contents)
    assert found is not None
    assert (found.pairs, found.untied_pairs, found.contents) == (12_840, 11_984, 856)
    assert found.share == pytest.approx(0.89276, abs=TOLERANCE)
    assert found.untied_share == pytest.approx(0.92081, abs=TOLERANCE)
    assert found.srcc == pytest.approx(0.89797, abs=TOLERANCE)
    assert None not in found.share_interval
    means = rungs.groupby("content_name")["mos_j"].transform("mean").to_numpy()
    blind = order_within(means, rungs["mos_j"].to_numpy(), contents)
    assert blind is not None
    assert blind.share == 0.5


def test_a_reference_is_the_highest_rung() -> None:
    """CHUG with the reference as highest: 15,660 of the 17,120 pairs that differ are ordered right."""
    rungs, contents, bitrate = ladder()
    found = order_within(np.where(rungs["ref"] == 1, np.inf, bitrate), rungs["mos_j"].to_numpy(), contents)
    assert found is not None
    assert found.pairs == 12_840  # an infinite value is a missing one
    found = order_within(np.where(rungs["ref"] == 1, 1e9, bitrate), rungs["mos_j"].to_numpy(), contents)
    assert found is not None
    assert found.untied_pairs == 17_120
    assert found.untied_share == pytest.approx(15_660 / 17_120, abs=1e-9)


def ladder() -> tuple[pd.DataFrame, np.ndarray, Floats]:
    """CHUG's 856 contents of seven rungs; the content of each row, and its bitrate in Mbit/s, NaN for the reference."""
    rungs = pd.DataFrame(read_jsonl(DATA / "chug" / "features.jsonl"))
    contents = pd.factorize(rungs["content_name"])[0].astype(np.int64)
    bitrate = pd.to_numeric(rungs["bitrate"].str.removesuffix("M"), "coerce").to_numpy(np.float64)
    return rungs, contents, bitrate


def test_rows_per_corpus_and_category() -> None:
    """Two corpora in one table, and the categories of one of them."""
    ugc = frame("youtube_ugc").dropna(subset=["technical"])
    both = pd.concat([frame("konvid_1k").assign(corpus="konvid"), ugc.assign(corpus="youtube")])
    assert len(both) == 2347
    found = sections(both, "technical", "aesthetic", corpora=category(both, "corpus"))
    (corpora,) = found["categories"]
    assert srcc(corpora) == {
        "konvid": pytest.approx([0.86127, 0.84313], abs=TOLERANCE),
        "youtube": pytest.approx([0.72638, 0.74436], abs=TOLERANCE),
    }
    pooled = sections(
        both.assign(all="all"),
        "technical",
        "aesthetic",
        categories=(category(both.assign(all="all"), "all"),),
    )
    assert srcc(pooled["categories"][0])["all"] == pytest.approx([0.75886, 0.79658], abs=TOLERANCE)
    (kinds,) = sections(ugc, "technical", "aesthetic", categories=(category(ugc, "category"),))["categories"]
    assert srcc(kinds)["Animation"] == pytest.approx([0.5462, 0.6041], abs=TOLERANCE)
    assert srcc(kinds)["Sports"] == pytest.approx([0.7485, 0.7916], abs=TOLERANCE)
    assert {each["value"]: each["n"] for each in kinds["shown"]}.items() >= {
        "Animation": 75,
        "Sports": 152,
    }.items()


def srcc(figures: Any) -> dict[str, list[float]]:
    """The scorers' SRCC by value."""
    return {each["value"]: [scorer["srcc"] for scorer in each["scorers"]] for each in figures["shown"]}


def test_the_clips_on_which_label_and_score_disagree() -> None:
    """KoNViD: the same three clips come first for the best curve as for one whose centre is held at the mean score."""
    rows = frame("konvid_1k")
    worst = ["8017059368", "7978973307", "6740483069"]
    (found,) = sections(rows, "fused")["disagreements"]
    assert (found["kind"], found["n"], len(found["rows"])) == ("label", 1200, 10)
    assert [row["key"] for row in found["rows"][:3]] == worst
    assert [row["difference"] for row in found["rows"][:3]] == pytest.approx(
        [-1.0671, -1.0505, -1.0290], abs=TOLERANCE
    )
    held = rows["mos"].to_numpy() - with_centre_held(rows["fused"].to_numpy(), rows["mos"].to_numpy())
    residuals = dict(zip(rows["key"], held, strict=True))
    assert [residuals[each] for each in worst] == pytest.approx([-1.0573, -1.0431, -1.0189], abs=TOLERANCE)


def with_centre_held(scores: Floats, labels: Floats) -> Floats:
    """The logistic curve whose centre stays at the mean score: where a fit by relative steps from there stays."""
    centre = scores.mean()

    def curve(x: Floats, high: float, low: float, width: float) -> Floats:
        mapped: Floats = low + (high - low) / (1 + np.exp(-(x - centre) / abs(width)))
        return mapped

    start = (labels.max(), labels.min(), scores.std())
    return curve(scores, *curve_fit(curve, scores, labels, start, maxfev=100_000)[0])


def test_the_clip_on_which_two_scorers_disagree() -> None:
    """KoNViD: DOVER's aspects differ most, by rank, on one clip."""
    found = sections(frame("konvid_1k"), "aesthetic", "technical")["disagreements"][-1]
    assert (found["kind"], found["columns"]) == ("scorers", [column("aesthetic"), column("technical")])
    assert found["rows"][0]["key"] == "8254380270"
    assert found["rows"][0]["difference"] == pytest.approx(-0.8183, abs=TOLERANCE)


def rated(rows: pd.DataFrame) -> dict[str, Floats]:
    """Deviation and number of YouTube-UGC's ratings."""
    return {
        "target_sd": rows["stdFull"].to_numpy(np.float64),
        "target_n": rows["x_Subjects"].to_numpy(np.float64),
    }


def test_the_ceiling_of_labels() -> None:
    """YouTube-UGC: reliability .99321, highest correlation .9966, least RMSE .05304, over all 1,380 clips."""
    rows = frame("youtube_ugc")
    ceiling = sections(rows, "fused", **rated(rows))["ceiling"]
    assert ceiling is not None
    assert ceiling["rows"] == 1380
    found = [ceiling[each] for each in ("reliability", "correlation", "rmse")]
    assert found == pytest.approx([0.99321, 0.9966, 0.05304], abs=TOLERANCE)
    (fused,) = ceiling["scorers"]
    assert fused["n"] == 1147
    assert fused["share"] == pytest.approx((fused["plcc"] or 0) / 0.9966, abs=TOLERANCE)


def test_errors_beyond_the_labels_own() -> None:
    """YouTube-UGC: ITU-T P.1401 for the fusion; the product's curve is closer to the labels than the one that is held."""
    rows = frame("youtube_ugc").dropna(subset=["fused"])
    ratings = rated(rows)
    (found,) = sections(rows, "fused", **ratings)["rating_agreement"]
    expected = {"rmse": 0.4049, "rmse_star": 0.32476, "outlier_ratio": 0.82302, "half_interval": 0.1026}
    assert {each: found[each] for each in expected} == pytest.approx(expected, abs=TOLERANCE)  # type: ignore[literal-required]  # mypy does not see the names
    mapped = with_centre_held(rows["fused"].to_numpy(), rows["mos"].to_numpy())
    held = Accuracy.of(mapped, rows["mos"].to_numpy(), *ratings.values())
    assert held is not None
    assert vars(held) == pytest.approx({"rows": 1147, **expected}, abs=5e-5)
    assert (found["rmse"] or 1) < held.rmse


def test_pairs_that_people_tell_apart() -> None:
    """YouTube-UGC, the fusion, by Krasula et al.; its AUCs are those of an aspect and more."""
    rows = frame("youtube_ugc").dropna(subset=["fused"])
    fused, technical = sections(rows, "fused", "technical", **rated(rows))["rating_agreement"]
    assert (fused["compared_rows"], fused["pairs"], fused["different_pairs"]) == (1147, 657_231, 575_538)
    expected = {"auc_different": 0.66451, "auc_better": 0.90577, "c0": 0.82002}
    assert {each: fused[each] for each in expected} == pytest.approx(expected, abs=TOLERANCE)  # type: ignore[literal-required]  # mypy does not see the names
    assert (technical["auc_better"] or 1) < (fused["auc_better"] or 0)
