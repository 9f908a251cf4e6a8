"""The audit and the impact of a batch as Luigi tasks: honest targets, equal bytes, failures that leave no verdict."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

pytest.importorskip("sklearn", reason="the extra `evidence` is not installed")

from pipeline import RetrainImpact, SignalMixAudit
from pipeline.storage.schema import load_schema
from tests.support.builders import run_main, tree, write_json, write_jsonl
from tests.support.evidence_batches import document, evidence_batch, given_evidence, write_corpus
from tests.support.processes import COMMAND, LUIGI, running, second_opinion, started, until
from tests.support.shared import once

GIVEN = ("m.audit.json", "m.audit.md", "m.impact.json", "m.impact.md", "m.html")


def stamps(folder: Path) -> dict[str, int]:
    """When each file below the folder was last written, those that any look at a batch may write left out."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".jsonl") and "run-log" not in path.name
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a batch of the table `a` with all its evidence, to read and to copy."""
    return given_evidence(tmp_path_factory, "a")


@pytest.fixture(scope="module")
def made_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the tables `a` and `b`."""
    return given_evidence(tmp_path_factory, "a", "b")


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """A copy of the batch of one table, to change."""
    return shutil.copytree(made, tmp_path / "copied") / "m.json"


def cited_impact(folder: Path) -> bool:
    """Whether the page cites the impact that stands beside it."""
    digest = hashlib.sha256((folder / "m.impact.json").read_bytes()).hexdigest()
    return digest in (folder / "m.html").read_text("utf-8")


def test_the_impact_gives_everything(made: Path) -> None:
    """One command makes the batch, its audit, its impact and the page, and says the verdict and the digest to cite."""
    folder, printed = made, (made / "printed").read_text("utf-8")
    assert set(GIVEN) <= set(tree(folder))
    impact = document(folder, "impact")
    assert [table["verdict"] for table in impact["tables"]] == ["improves"]
    assert "a: improves: " in printed
    digest = hashlib.sha256((folder / "m.impact.json").read_bytes()).hexdigest()
    assert f"sha256: {digest}" in printed
    assert printed.rstrip().endswith(f"page: {folder}/m.html")


def test_each_document_cites_what_it_rests_on(made: Path) -> None:
    """The audit cites the report, the impact both, by the digest of their bytes; their provenance names the tables."""
    folder = made
    audit, impact = document(folder, "audit"), document(folder, "impact")
    report = hashlib.sha256((folder / "m.report.json").read_bytes()).hexdigest()
    assert audit["report"] == impact["report"] == {"path": "m.report.json", "sha256": report}
    digest = hashlib.sha256((folder / "m.audit.json").read_bytes()).hexdigest()
    assert impact["audit"] == {"path": "m.audit.json", "sha256": digest}
    for kind, given in (("audit", audit), ("impact", impact)):
        provenance = given["run_provenance"]
        assert provenance["argv"] == ["second-opinion", kind, "m.json"]
        assert provenance["inputs"].keys() == {"report", "a.out"}


def test_a_second_run_does_nothing(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands is not touched; a page or a document that is edited or gone is written again as it was."""
    folder = copied.parent
    before, first = stamps(folder), tree(folder)
    assert run_main(capsys, "impact", copied).code == 0
    assert run_main(capsys, "audit", copied).code == 0
    assert stamps(folder) == before
    (folder / "m.html").unlink()
    (folder / "m.audit.md").write_text("edited")
    assert run_main(capsys, "impact", copied).code == 0
    assert {name: tree(folder)[name] for name in GIVEN} == {name: first[name] for name in GIVEN}


def test_equal_batches_give_equal_bytes(made_of_two: Path, tmp_path: Path) -> None:
    """Another folder and another number of processes change no byte."""
    evidence_batch(tmp_path / "two", "a", "b")
    ended = second_opinion(tmp_path, "impact", "two/m.json", "--workers", "2")
    assert ended.returncode == 0, ended.stderr
    one, two = tree(made_of_two), tree(tmp_path / "two")
    assert {name: one[name] for name in GIVEN} == {name: two[name] for name in GIVEN}


def test_a_changed_table_redoes_exactly_its_part(
    made_of_two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was worked out for the other table stays as it is; the documents and the page are written again."""
    folder = shutil.copytree(made_of_two, tmp_path / "copied")
    before = stamps(folder)
    write_corpus(folder, "b", seed=1)
    assert run_main(capsys, "impact", folder / "m.json").code == 0
    after = stamps(folder)
    parts = {Path(name).name for name in after if "/evidence/" in name and after[name] != before[name]}
    assert {name for name in parts if not name.startswith("document-")} == {"audit-b.json", "impact-b.json"}
    assert all(after[name] != before[name] for name in GIVEN)


def test_a_changed_request_makes_no_table_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence is asked for beside the join: other baseline columns leave the joined table and the report's tables."""
    run_main(capsys, "audit", evidence_batch(tmp_path))
    joined = (tmp_path / "joined/a.jsonl").stat().st_mtime_ns
    assert run_main(capsys, "audit", evidence_batch(tmp_path, features=["f_blur"], corpus="other")).code == 0
    assert (tmp_path / "joined/a.jsonl").stat().st_mtime_ns == joined
    assert document(tmp_path, "audit")["tables"][0]["corpus"] == "other"


def test_the_page_shows_the_impact_while_it_is_current(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An audit of changed tables takes the old impact off the page; the next impact brings the new one."""
    folder = copied.parent
    assert cited_impact(folder)
    write_corpus(folder, "a", seed=1)
    run_main(capsys, "audit", copied)
    assert not cited_impact(folder)
    run_main(capsys, "impact", copied)
    assert cited_impact(folder)


def test_a_leak_fails_the_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A score that is the label is named; the last good audit stays, and once it is taken out the failed one goes."""
    run_main(capsys, "audit", evidence_batch(tmp_path))
    good = (tmp_path / "m.audit.json").read_bytes()
    ended = run_main(capsys, "impact", evidence_batch(tmp_path, leak=True))
    assert ended.code == 1
    assert "a: second_opinion_leak_score is the label, or nearly: Pearson 1" in ended.err
    assert (tmp_path / "m.audit.json").read_bytes() == good
    assert not (tmp_path / "m.impact.json").exists()
    failed = document(tmp_path, "audit.failed")
    assert failed["status"] == "failed"
    assert [leak["column"] for leak in failed["tables"][0]["leaks"]] == ["second_opinion_leak_score"]
    assert run_main(capsys, "audit", evidence_batch(tmp_path)).code == 0
    assert not (tmp_path / "m.audit.failed.json").exists()
    assert not (tmp_path / "m.audit.failed.md").exists()


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no such label": ({"target": "dmos"}, "target: found no numeric column named 'dmos'"),
    "a label of texts": (
        {"target": "content", "group": "f_blur"},
        "target: found no numeric column named 'content'",
    ),
    "no such group": ({"group": "source"}, "group: found no column named 'source'"),
    "no such feature": (
        {"features": ["g*"]},
        "features: 'g*' matches no numeric column besides the label and the scores",
    ),
}


@pytest.mark.parametrize("given", FAULTS)
def test_a_table_that_lacks_what_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    """The evidence fails with the table, what was asked for and the columns that there are; the batch is complete."""
    evidence, message = FAULTS[given]
    ended = run_main(capsys, "audit", evidence_batch(tmp_path, **evidence))
    assert ended.code == 1
    assert message in ended.err
    assert "its columns are 'clip_id', 'content', 'mos'" in ended.err
    assert document(tmp_path, "audit.failed")["errors"][0]["id"] == "a"
    assert (tmp_path / "m.report.json").exists()


def test_an_impact_needs_a_label(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any label there is an audit, and an impact is a misuse that writes nothing."""
    manifest = evidence_batch(tmp_path)
    given = json.loads(manifest.read_text())
    del given["tables"][0]["evidence"]
    write_json(manifest, given)
    before = tree(tmp_path)
    ended = run_main(capsys, "impact", manifest)
    assert (ended.code, "no table has evidence with a target" in ended.err) == (2, True)
    assert tree(tmp_path) == before
    assert run_main(capsys, "audit", manifest).code == 0
    assert document(tmp_path, "audit")["tables"][0]["target"] is None


def test_evidence_never_replaces_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table whose audit would have the name of the batch's is a misuse that says so and writes nothing."""
    manifest = evidence_batch(tmp_path)
    given = json.loads(manifest.read_text())
    given["tables"][0]["audit_json"] = "m.audit.json"
    write_json(manifest, given)
    before = tree(tmp_path)
    ended = run_main(capsys, "audit", manifest)
    assert (ended.code, "an evidence file would overwrite another file" in ended.err) == (2, True)
    assert tree(tmp_path) == before


def test_a_batch_that_is_not_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence waits with its batch for an input that is not there yet, and fails with a table that fails."""
    manifest = evidence_batch(tmp_path)
    (tmp_path / "a/nr.jsonl").unlink()
    ended = run_main(capsys, "audit", manifest)
    assert (ended.code, "a/nr.jsonl: the file is not there yet" in ended.err) == (3, True)
    write_jsonl(tmp_path / "a/nr.jsonl", [{"clip_id": "c0"}])
    assert run_main(capsys, "audit", manifest).code == 1


def test_luigis_own_command_line(made: Path, tmp_path: Path) -> None:
    """`luigi --module pipeline second_opinion.RetrainImpact` makes the same bytes as the command."""
    evidence_batch(tmp_path / "two")
    asked = ("second_opinion.RetrainImpact", "--manifest", "two/m.json", "--local-scheduler")
    ended = started(tmp_path, *LUIGI, *asked)
    assert ended.returncode == 0, ended.stderr
    one, two = tree(made), tree(tmp_path / "two")
    assert {name: one[name] for name in GIVEN} == {name: two[name] for name in GIVEN}


def test_a_killed_run_is_taken_up(
    made_of_two: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After kill -9 the next run keeps what was worked out, and ends with the bytes of a run that nobody disturbed."""
    manifest = evidence_batch(tmp_path / "killed", "a", "b")
    parts = tmp_path / "killed/.m.report.json.state/evidence"
    with running(tmp_path, *COMMAND, "impact", str(manifest)) as run:
        until(lambda: (parts / "impact-a.json").exists(), "the impact of the first table")
        run.kill()
    assert not (tmp_path / "killed/m.impact.json").exists()
    first = (parts / "impact-a.json").stat().st_mtime_ns
    assert run_main(capsys, "impact", manifest).code == 0
    assert (parts / "impact-a.json").stat().st_mtime_ns == first
    killed, calm = tree(tmp_path / "killed"), tree(made_of_two)
    assert {name: killed[name] for name in GIVEN} == {name: calm[name] for name in GIVEN}


@pytest.mark.parametrize(
    ("task", "name"), [(SignalMixAudit, "m.audit.json"), (RetrainImpact, "m.impact.json")]
)
def test_evidence_is_read_by_its_target(made: Path, task: Any, name: str) -> None:
    """The targets of audit and impact have the path of their JSON, and open it for reading."""
    target = task(manifest=str(made / "m.json")).output()
    assert target.path == str(made / name)
    with target.open("r") as stream:
        assert json.load(stream) == json.loads((made / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def made_in_full(made_of_two: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The batch of two tables, its impact requested in full after it was requested without."""

    def make(folder: Path) -> None:
        shutil.copytree(made_of_two, folder)
        ended = second_opinion(folder, "impact", "m.json", "--full")
        assert ended.returncode == 0, ended.stderr

    return once(tmp_path_factory, "evidence-in-full", make)


def test_an_impact_in_full_adds_curves_and_transfers(made_of_two: Path, made_in_full: Path) -> None:
    """A curve per table and a transfer per ordered pair; what was known stays, and without `--full` both are null."""
    plain, full = document(made_of_two, "impact"), document(made_in_full, "impact")
    assert (plain["learning_curves"], plain["transfers"]) == (None, None)
    assert [curve["id"] for curve in full["learning_curves"]] == ["a", "b"]
    assert [[each["contents"] for each in curve["points"]] for curve in full["learning_curves"]] == [
        [11, 22]
    ] * 2
    pairs = [(each["trained_on"], each["tested_on"]) for each in full["transfers"]]
    assert pairs == [("a", "b"), ("b", "a")]
    assert full["tables"] == plain["tables"]
    assert full["run_provenance"]["argv"] == ["second-opinion", "impact", "m.json", "--full"]
    assert [*Draft202012Validator(load_schema("impact")).iter_errors(full)] == []
    kept = ".m.report.json.state/evidence/impact-a.json"
    assert (made_in_full / kept).stat().st_mtime_ns == (made_of_two / kept).stat().st_mtime_ns
    assert "Transfer" in (made_in_full / "m.html").read_text("utf-8")


def test_an_impact_in_full_answers_a_request_for_less(
    made_in_full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--full` it stays as it is; once a table has changed, what is then out of date is left out."""
    folder = shutil.copytree(made_in_full, tmp_path / "copied")
    before = stamps(folder)
    assert run_main(capsys, "impact", folder / "m.json").code == 0
    assert stamps(folder) == before
    write_corpus(folder, "b", seed=1)
    assert run_main(capsys, "impact", folder / "m.json").code == 0
    assert document(folder, "impact")["transfers"] is None
    assert run_main(capsys, "impact", folder / "m.json", "--full").code == 0
    after = stamps(folder)
    parts = {name.partition("/evidence/")[2] for name in after if after[name] != before.get(name)}
    named = {name for name in parts if name and not name.startswith("document-")}
    assert named == {
        "audit-b.json",
        "impact-b.json",
        "learning-b.json",
        "transfer-a/b.json",
        "transfer-b/a.json",
    }


def test_equal_batches_give_equal_bytes_in_full(made_in_full: Path, tmp_path: Path) -> None:
    """Another folder, another number of processes and no earlier impact change no byte."""
    evidence_batch(tmp_path / "two", "a", "b")
    ended = second_opinion(tmp_path, "impact", "two/m.json", "--full", "--workers", "2")
    assert ended.returncode == 0, ended.stderr
    one, two = tree(made_in_full), tree(tmp_path / "two")
    assert {name: one[name] for name in GIVEN} == {name: two[name] for name in GIVEN}


def test_what_cannot_be_trained_in_full_has_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table whose impact is not measurable has no curve and no transfer, and says why."""
    assert run_main(capsys, "impact", evidence_batch(tmp_path, "a", "b", group=None), "--full").code == 0
    full = document(tmp_path, "impact")
    assert full["learning_curves"][0]["points"] == full["transfers"][0]["arms"] == []
    for each in (*full["learning_curves"], *full["transfers"]):
        assert each["reason"].startswith("The impact of ")
        assert "No column names the content" in each["reason"]
    assert full["transfers"][0]["reason"] in (tmp_path / "m.html").read_text("utf-8")
