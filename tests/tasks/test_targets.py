"""Targets as tasks of other pipelines use them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import luigi
import pandas as pd
import pytest

from pipeline import BatchReport, InputFile, JoinedTable, SecondOpinionError
from tests.support.builders import batch_of, clips, run_manifest, small_batch, write_jsonl
from tests.support.processes import LUIGI, started


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A complete batch of one JSONL table `t`."""
    manifest = small_batch(tmp_path)
    assert run_manifest(manifest).exit_code == 0
    return manifest


def table(manifest: Path, name: str = "t") -> JoinedTable:
    """A table of a batch as a task."""
    return JoinedTable(manifest=str(manifest), table=name)


def test_a_table_is_read_by_its_target(manifest: Path) -> None:
    """The target has the file's path, opens it as text or bytes, and gives a frame and an Arrow table."""
    target = table(manifest).output()
    assert Path(target.path) == manifest.parent / "joined/t.jsonl"
    with target.open("r") as stream:
        assert [json.loads(line)["clip_id"] for line in stream] == ["c0", "c1", "c2"]
    with target.open("rb") as stream:
        assert stream.read() == Path(target.path).read_bytes()
    pd.testing.assert_frame_equal(target.load(), target.read().to_pandas())
    assert target.load()["second_opinion_dover_score"].tolist() == [0.0, 10.0, 20.0]


def test_a_parquet_table_opens_as_bytes(tmp_path: Path) -> None:
    """Mode r of a Parquet table gives what pandas can read."""
    manifest = batch_of(tmp_path, "a")
    run_manifest(manifest)
    with table(manifest, "a").output().open() as stream:
        assert len(pd.read_parquet(stream)) == 2


def test_the_report_is_read_by_its_target(manifest: Path) -> None:
    """The target has the digest that a job cites, the document, and its tables."""
    target = BatchReport(manifest=str(manifest)).output()
    assert target.sha256 == run_manifest(manifest).sha256
    assert target.document["status"] == "ok"
    assert len(target.table("t").to_pandas()) == 3
    with target.open("r") as stream:
        assert json.load(stream) == target.document


@pytest.mark.parametrize("mode", ["w", "wb", "a", "r+"])
def test_nobody_else_writes(manifest: Path, mode: str) -> None:
    """Opening for writing, removing and a temporary path are refused with a sentence, and the file stays."""
    for target in (table(manifest).output(), BatchReport(manifest=str(manifest)).output()):
        before = Path(target.path).read_bytes()
        with pytest.raises(
            SecondOpinionError, match=r"expected 'r' or 'rb'; only the file's own task may write"
        ):
            target.open(mode)
        with pytest.raises(SecondOpinionError, match="request to remove it"):
            target.remove()
        with pytest.raises(SecondOpinionError, match="request to write it"):
            target.temporary_path()
        assert Path(target.path).read_bytes() == before


def test_a_table_that_was_not_joined_cannot_be_loaded(tmp_path: Path) -> None:
    """Loading a table before it is joined says what to do."""
    with pytest.raises(SecondOpinionError, match="the table was not joined yet; run its batch"):
        table(small_batch(tmp_path)).output().load()


def test_inputs_are_tasks(tmp_path: Path) -> None:
    """A table requires one input per entry, by its role; a pattern is one, and it is there once a file matches."""
    manifest = small_batch(tmp_path, scores=["dover=dover.jsonl", "q=q/*.jsonl"])
    required = table(manifest).requires()
    assert list(required) == ["features", "scores[0]", "scores[1]"]
    assert all(isinstance(each, InputFile) for each in required.values())
    assert [each.complete() for each in required.values()] == [True, True, False]
    write_jsonl(tmp_path / "q/1.jsonl", clips("c0", score=1))
    assert required["scores[1]"].complete()
    assert required["scores[1]"].output().path == str(tmp_path / "q/*.jsonl")


def test_luigi_names_a_missing_input(tmp_path: Path) -> None:
    """Luigi's own command line names the input, joins the other tables, and ends with its code for missing data."""
    manifest = batch_of(tmp_path, "ab")
    (tmp_path / "a.dover.jsonl").unlink()
    ended = started(
        tmp_path, *LUIGI, "second_opinion.BatchReport", "--manifest", str(manifest), "--local-scheduler"
    )
    assert ended.returncode == 3
    assert "InputFile(path=a.dover.jsonl" in ended.stderr
    assert (tmp_path / "out/b.parquet").exists()
    assert not (tmp_path / "out/a.parquet").exists()


def test_a_complete_table_does_not_ask_for_its_inputs(manifest: Path) -> None:
    """An input that was deleted after the join leaves the table complete, for Luigi's command line too."""
    (manifest.parent / "dover.jsonl").unlink()
    ended = started(
        manifest.parent,
        *LUIGI,
        "second_opinion.BatchReport",
        "--manifest",
        str(manifest),
        "--local-scheduler",
    )
    assert ended.returncode == 0
    assert "InputFile" not in ended.stderr


@pytest.mark.parametrize("tool", ["luigi.tools.deps", "luigi.tools.deps_tree"])
def test_luigis_tools_show_the_files(manifest: Path, tool: str) -> None:
    """Luigi's own tools show the tables and the files that they come from."""
    ended = started(
        manifest.parent,
        *(sys.executable, "-m", tool, "--module", "pipeline"),
        *("second_opinion.BatchReport", "--manifest", str(manifest)),
    )
    assert ended.returncode == 0, ended.stderr
    assert "to be determined" not in ended.stdout
    assert "dover.jsonl" in ended.stdout
    if tool == "luigi.tools.deps":
        assert f"[FileSystem] {manifest.parent / 'joined/t.jsonl'}" in ended.stdout


def test_a_subclass_makes_an_input_itself(tmp_path: Path) -> None:
    """A table of a subclass requires the task that it names for an input, and its report requires that table."""
    manifest = small_batch(tmp_path)
    (tmp_path / "dover.jsonl").unlink()

    class Score(luigi.Task):
        """Writes the sidecar."""

        path = luigi.Parameter()

        def output(self) -> luigi.LocalTarget:
            """The sidecar."""
            return luigi.LocalTarget(self.path)

        def run(self) -> None:
            """Write it."""
            write_jsonl(Path(self.path), clips("c0", "c1", "c2", score=1))

    class ScoredTable(JoinedTable):
        """Its sidecar is made by `Score`."""

        task_namespace = "scored"

        def input_task(self, role: str, path: str) -> luigi.Task:
            """The sidecar's task."""
            made_here = role.startswith("scores")
            return Score(path=str(tmp_path / path)) if made_here else super().input_task(role, path)

    class ScoredReport(BatchReport):
        """The report of such tables."""

        task_namespace = "scored"
        table_task = ScoredTable

    assert luigi.build([ScoredReport(manifest=str(manifest))], local_scheduler=True, log_level="ERROR")
    assert table(manifest).output().load()["second_opinion_dover_score"].tolist() == [1.0, 1.0, 1.0]


def test_the_command_knows_no_task_until_luigi_does() -> None:
    """Importing the package loads no Luigi; the tasks are there once they are named."""
    program = "import sys, pipeline; assert 'luigi' not in sys.modules; pipeline.JoinedTable; assert 'luigi' in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
