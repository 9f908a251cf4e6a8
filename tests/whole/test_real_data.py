"""Real corpora with real scores, where their files are at hand; the figures are those of DOVER's authors' files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.tasks.run import BatchResult
from tests.support.builders import run_manifest, write_manifest

DATA = Path(__file__).parents[3] / "shared" / "data"
SIDECARS = ["dover-technical.jsonl", "DOVER-Aesthetic=dover-aesthetic.jsonl", "dover.json"]
OPTIONS: dict[str, dict[str, Any]] = {
    "konvid_1k": {"key_column": "flickr_id", "key_normalize": "stem"},
    "youtube_ugc": {"key_column": "vid", "score_key_regex": "^(.+?)_crf_", "missing_policy": "mark"},
}

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the corpora are not free to ship; they are expected in ../shared/data"
)


def entry(corpus: str, scores: list[Any], out: str) -> dict[str, Any]:
    """A table of a corpus, whose sidecars stand in its folder."""
    placed = [
        each | {"path": f"{corpus}/{each['path']}"}
        if isinstance(each, dict)
        else "=".join([*each.split("=")[:-1], f"{corpus}/{each.split('=')[-1]}"])
        for each in scores
    ]
    features = f"{corpus}/features.parquet"
    return {"id": out, "features": features, "scores": placed, "out": f"out/{out}.parquet", **OPTIONS[corpus]}


def joined(folder: Path, *tables: dict[str, Any]) -> tuple[BatchResult, dict[str, pd.DataFrame]]:
    """Run a batch over copies of the corpora: its result, and each joined table."""
    for corpus in OPTIONS:
        shutil.copytree(DATA / corpus, folder / corpus, dirs_exist_ok=True)
    result = run_manifest(write_manifest(folder / "m.json", tables))
    assert result.exit_code == 0, result.report
    return result, {table["id"]: pd.read_parquet(folder / table["out"]) for table in tables}


def counts(result: BatchResult, table: int) -> dict[str, tuple[int, int]]:
    """Matched and missing rows per scorer."""
    competitors = result.report["tables"][table]["summary"]["competitors"]
    return {label: (each["matched_rows"], each["missing_rows"]) for label, each in competitors.items()}


def test_the_scores_meet_their_clips(tmp_path: Path) -> None:
    """Every clip of KoNViD-1k and the 1147 predicted ones of YouTube-UGC get the scores of that clip.

    A join of the wrong rows could not show how well the scores are known to agree with people.
    """
    tables = [entry(corpus, SIDECARS, corpus) for corpus in OPTIONS]
    result, frames = joined(tmp_path, *tables)
    labels = ["DOVER", "DOVER-Aesthetic", "DOVER-Technical"]
    assert counts(result, 0) == dict.fromkeys(labels, (1200, 0))
    assert counts(result, 1) == dict.fromkeys(labels, (1147, 233))

    konvid = frames["konvid_1k"]
    assert len(konvid) == 1200
    fused, technical, aesthetic = (
        konvid[f"second_opinion_{name}_score"] for name in ("dover", "dover_technical", "dover_aesthetic")
    )
    assert konvid["mos"].corr(fused) == pytest.approx(0.882, abs=5e-4)
    # Spearman's coefficient is Pearson's of the ranks.
    assert konvid["mos"].rank().corr(technical.rank()) == pytest.approx(0.861, abs=5e-4)
    assert konvid["mos"].rank().corr(aesthetic.rank()) == pytest.approx(0.843, abs=5e-4)

    youtube = frames["youtube_ugc"]
    assert len(youtube) == 1380
    assert list(youtube["second_opinion_dover_status"].value_counts().sort_index().items()) == [
        ("missing", 233),
        ("ok", 1147),
    ]


@pytest.mark.parametrize("corpus", OPTIONS)
def test_features_come_through(tmp_path: Path, corpus: str) -> None:
    """The columns of a real feature table are as they were, in pandas too."""
    _, frames = joined(tmp_path, entry(corpus, SIDECARS, "t"))
    before = pd.read_parquet(DATA / corpus / "features.parquet")
    pd.testing.assert_frame_equal(frames["t"][before.columns], before)
    assert list(frames["t"].columns[: len(before.columns)]) == list(before.columns)


@pytest.mark.parametrize("corpus", OPTIONS)
def test_the_wide_table_gives_the_same_scores(tmp_path: Path, corpus: str) -> None:
    """The scorer's own wide CSV, by aspects and by the fused field, gives the columns that the sidecars give."""
    wide = {"path": "dover-native.csv", "label": "DOVER"}
    native = [
        wide | {"score_fields": {"Technical": "technical score", "Aesthetic": "aesthetic score"}},
        wide | {"score_field": "overall/final score"},
    ]
    result, frames = joined(tmp_path, entry(corpus, SIDECARS, "sidecars"), entry(corpus, native, "native"))
    assert counts(result, 0) == counts(result, 1)
    kept = [name for name in frames["sidecars"].columns if not name.endswith("_source")]
    pd.testing.assert_frame_equal(frames["native"][kept], frames["sidecars"][kept])
