"""Train a regressor of MOS with and without the scores of a cited batch, and write its metrics beside the citation."""

import json
from pathlib import Path

import pandas as pd
from second_opinion import open_batch
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict

HERE = Path(__file__).parent
FEATURES = ["bitrate_mbps", "blur", "temporal_flicker", "colorfulness"]

batch = open_batch(HERE / "demo.report.json")  # sha256="..." once a job cites it
table = batch.table("chug_hdr").to_pandas()  # a score that is not ok is NaN, which this regressor takes
scores = [name for name in table.columns if name.startswith("second_opinion_") and name.endswith("_score")]


def srcc(columns: list[str]) -> float:
    """Spearman's coefficient of held-out predictions with MOS; no content is in two folds."""
    predicted = cross_val_predict(
        HistGradientBoostingRegressor(random_state=0),
        table[columns],
        table["mos_j"],
        groups=table["content_name"],
        cv=GroupKFold(5),
    )
    return round(pd.Series(predicted).corr(table["mos_j"], method="spearman"), 4)


metrics = {"without_scores": srcc(FEATURES), "with_scores": srcc([*FEATURES, *scores])}
written = HERE / "retrain.metrics.json"
written.write_text(json.dumps({"batch": batch.sha256, "srcc": metrics}, indent=2) + "\n")
print(f"SRCC without scores: {metrics['without_scores']:.3f}")
print(f"SRCC with scores:    {metrics['with_scores']:.3f}")
print(f"cited in {written.name}: {batch.sha256}")
