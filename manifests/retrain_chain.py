"""A pipeline of one's own around a batch: extract features, join scores onto them, write the report, train."""

import json
from pathlib import Path

import luigi
from second_opinion import BatchReport, JoinedTable

HERE = Path(__file__).parent / "chain"


class ExtractFeatures(luigi.Task):
    """In place of a real feature extractor: one row per clip."""

    path = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(self.path)

    def run(self) -> None:
        with self.output().open("w") as stream:
            stream.writelines(
                json.dumps({"clip_id": f"c{clip}", "blur": clip / 2}) + "\n" for clip in range(3)
            )


class ExtractedTable(JoinedTable):
    """A joined table whose features are extracted first; its sidecars come from elsewhere."""

    def input_task(self, role: str, path: str) -> luigi.Task:
        return (
            ExtractFeatures(path=str(HERE / path)) if role == "features" else super().input_task(role, path)
        )


class ExtractedReport(BatchReport):
    """The report of a batch of such tables."""

    table_task = ExtractedTable


class Retrain(luigi.Task):
    """Train on the batch that its report cites, and note the digest."""

    def requires(self) -> ExtractedReport:
        return ExtractedReport(manifest=str(HERE / "batch.json"))

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(HERE / "retrained.json")

    def run(self) -> None:
        report = self.input()
        table = report.table("clips").to_pandas()
        scored = int(table["second_opinion_dover_score"].notna().sum())
        with self.output().open("w") as stream:
            stream.write(
                json.dumps({"batch": report.sha256, "rows": len(table), "with_score": scored}) + "\n"
            )
