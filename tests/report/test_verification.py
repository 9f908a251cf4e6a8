"""`verify`: whether the files that a report names are still the ones it speaks of."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import SecondOpinionError, verify
from tests.support.builders import (
    Ended,
    batch_of,
    clips,
    run_main,
    run_manifest,
    small_batch,
    stamps,
    tree,
    write_jsonl,
    write_text,
)

# The role in the report of each file of the batch.
ROLES = {
    "m.json": "inputs.manifest",
    "a.jsonl": "inputs.a.features",
    "a.dover.jsonl": "inputs.a.scores[0]",
    "out/a.parquet": "outputs.a.out",
    "out/a.audit.json": "outputs.a.audit_json",
    "b.jsonl": "inputs.b.features",
    "b.dover.jsonl": "inputs.b.scores[0]",
    "out/b.parquet": "outputs.b.out",
    "out/b.audit.json": "outputs.b.audit_json",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete batch of two tables, for tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("made")
    assert run_manifest(batch_of(folder, "ab")).exit_code == 0
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, for tests that spoil it."""
    return shutil.copytree(made, tmp_path / "copy")


def verified(folder: Path, capsys: pytest.CaptureFixture[str], *flags: object) -> Ended:
    """Verify the report; nothing below the folder may change."""
    before = stamps(folder)
    ended = run_main(capsys, "verify", folder / "m.report.json", *flags)
    assert stamps(folder) == before
    return ended


def cited(folder: Path) -> str:
    """The digest under which the report is cited."""
    return hashlib.sha256((folder / "m.report.json").read_bytes()).hexdigest()


def test_after_a_run(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every file is as the report says: exit code 0, the number of files, the digest to cite."""
    ended = verified(made, capsys)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{made}/m.report.json: {len(ROLES)} files as reported\nsha256: {cited(made)}\n"


@pytest.mark.parametrize("spelled", [str.lower, str.upper])
def test_the_cited_digest(
    made: Path, capsys: pytest.CaptureFixture[str], spelled: Callable[[str], str]
) -> None:
    """With the digest of the report's bytes, in letters of either case: exit code 0."""
    assert verified(made, capsys, "--sha256", spelled(cited(made))).code == 0


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_any_changed_byte_is_found(made: Path, data: st.DataObject) -> None:
    """One bit of any byte of any file that the report names, its size and time put back: just that file is named."""
    name = data.draw(st.sampled_from(sorted(ROLES)))
    path = made / name
    sound, found = path.read_bytes(), path.stat()
    spoilt = bytearray(sound)
    spoilt[data.draw(st.integers(0, len(sound) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        path.write_bytes(spoilt)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        faults = verify(made / "m.report.json").faults
    finally:
        path.write_bytes(sound)
    assert faults == (f"{ROLES[name]}: {name!r} has changed since the report was written",)


@pytest.mark.parametrize("name", ROLES)
def test_a_changed_file(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The command ends with 1, says that the report cannot be relied on, and names the file."""
    with (folder / name).open("ab") as stream:
        stream.write(b"\n")
    ended = verified(folder, capsys)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"second-opinion: {folder}/m.report.json: 1 fault; the report cannot be relied on\n"
        f"  - {ROLES[name]}: {name!r} has changed since the report was written\n"
    )


@pytest.mark.parametrize("name", ["a.dover.jsonl", "out/b.parquet", "out/b.audit.json"])
def test_a_file_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A file that has gone is named as such: exit code 1."""
    (folder / name).unlink()
    ended = verified(folder, capsys)
    assert ended.code == 1
    assert f"  - {ROLES[name]}: {name!r} is missing\n" in ended.err


@pytest.mark.parametrize("name", ["a.dover.jsonl", "out/b.parquet"])
def test_a_folder_in_place_of_a_file(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A folder in the place of a file is found: exit code 1."""
    (folder / name).unlink()
    (folder / name).mkdir()
    ended = verified(folder, capsys)
    assert ended.code == 1
    assert f"  - {ROLES[name]}: {folder}/{name}: found a folder, expected a file\n" in ended.err


def test_every_fault_is_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All faults are told at once, in the order of the report: inputs, then outputs."""
    for name in ("out/a.parquet", "b.jsonl"):
        (folder / name).unlink()
    write_text(folder / "a.jsonl", "")
    ended = verified(folder, capsys)
    assert ended.err.splitlines() == [
        f"second-opinion: {folder}/m.report.json: 3 faults; the report cannot be relied on",
        "  - inputs.a.features: 'a.jsonl' has changed since the report was written",
        "  - inputs.b.features: 'b.jsonl' is missing",
        "  - outputs.a.out: 'out/a.parquet' is missing",
    ]


def test_an_edited_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that was edited is not the one that is cited: exit code 1, and both digests."""
    was = cited(folder)
    report = json.loads((folder / "m.report.json").read_bytes())
    report["summary"]["input_rows"] += 1
    write_text(folder / "m.report.json", json.dumps(report))
    ended = verified(folder, capsys, "--sha256", was)
    assert ended.code == 1
    assert f"the report has sha256 {cited(folder)}; expected {was!r}, as it is cited" in ended.err


def test_a_failed_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report of a failed batch is refused, even if all that it names is as it says."""
    write_jsonl(folder / "b.dover.jsonl", clips("c0", score="good"))
    assert run_manifest(folder / "m.json").exit_code == 1
    ended = run_main(capsys, "verify", folder / "m.report.failed.json")
    assert ended.code == 1
    assert "1 fault;" in ended.err
    assert "m.report.failed.json: the report of a failed batch; expected that of a complete one" in ended.err


NO_REPORTS = {
    "not there": (None, "the file is not there yet; expected a report"),
    "no JSON": ("PAR1", "expected a report"),
    "no object": ("[]", "not a report of this project"),
    "manifest": ('{"tables": []}', "not a report of this project"),
    "another schema": ('{"schema": "other-v1"}', "schema"),
}


@pytest.mark.parametrize(("content", "said"), NO_REPORTS.values(), ids=NO_REPORTS.keys())
def test_not_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    """What is no report of this project cannot be verified: exit code 2, and why."""
    if content is not None:
        write_text(tmp_path / "r.json", content)
    ended = run_main(capsys, "verify", tmp_path / "r.json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"second-opinion: {tmp_path}/r.json: ")
    assert said in ended.err


def test_a_copy_of_the_folder(made: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy verifies by its own files alone, without the records of the batch, the manifest's folder or its place."""
    shutil.rmtree(folder / ".m.report.json.state")
    assert verified(folder, capsys).code == 0
    write_text(folder / "a.jsonl", "")
    assert verified(folder, capsys).code == 1
    assert verified(made, capsys).code == 0


def test_from_any_working_folder(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report's name alone, from its own folder or a relative path, is enough."""
    for where, name in ((folder, "m.report.json"), (folder / "out", "../m.report.json")):
        monkeypatch.chdir(where)
        assert run_main(capsys, "verify", name).code == 0


def test_a_report_in_another_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report beside its base folder finds it, also after both have moved together."""
    manifest = batch_of(tmp_path / "was/in", "a")
    assert run_manifest(manifest, report_json=tmp_path / "was/reports/r.json").exit_code == 0
    (tmp_path / "was").rename(tmp_path / "now")
    report = tmp_path / "now/reports/r.json"
    assert run_main(capsys, "verify", report).code == 0
    write_text(tmp_path / "now/in/a.jsonl", "")
    assert "inputs.a.features: 'a.jsonl' has changed" in run_main(capsys, "verify", report).err


def test_the_base_folder_can_be_given(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that was moved alone is verified against the base folder that is given, and no other."""
    report = (folder / "m.report.json").rename(folder.parent / "cited.json")
    assert run_main(capsys, "verify", report, "--base-dir", folder).code == 0
    assert run_main(capsys, "verify", report, "--base-dir", folder / "out").code == 1
    assert run_main(capsys, "verify", report).code == 1


def test_a_run_with_a_base_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch that was run with --base-dir verifies without it, and with the same one."""
    manifest = batch_of(tmp_path / "in", "a").rename(tmp_path / "m.json")
    assert run_main(capsys, "run", manifest, "--base-dir", tmp_path / "in").code == 0
    assert verified(tmp_path, capsys).code == 0
    assert verified(tmp_path, capsys, "--base-dir", tmp_path / "in").code == 0
    assert set(tree(tmp_path)) >= {"m.report.json", "in/out/a.parquet"}


def test_as_a_library(folder: Path) -> None:
    """`verify` gives the digest, the number of files and the faults, and raises for what is no report."""
    found = verify(str(folder / "m.report.json"), sha256=cited(folder))
    assert (found.ok, found.sha256, found.files, found.faults) == (True, cited(folder), len(ROLES), ())
    found = verify(folder / "m.report.json", sha256="0" * 64, base_dir=folder)
    assert not found.ok
    assert found.faults[0].endswith(f"expected {'0' * 64!r}, as it is cited")
    with pytest.raises(SecondOpinionError, match=r"m\.json: not a report of this project"):
        verify(folder / "m.json")


def test_an_input_above_a_linked_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An input that is named by way of a link is the file that was read."""
    manifest = small_batch(tmp_path / "batch", features="link/../f.jsonl")
    (tmp_path / "other/deep").mkdir(parents=True)
    (tmp_path / "batch/link").symlink_to(tmp_path / "other/deep")
    (tmp_path / "batch/features.jsonl").rename(tmp_path / "other/f.jsonl")
    assert run_manifest(manifest).exit_code == 0
    ended = run_main(capsys, "verify", tmp_path / "batch/m.report.json")
    assert (ended.code, ended.err) == (0, "")


def test_a_base_folder_that_is_no_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that says where it stands by a number is no report of this project."""
    report = folder / "m.report.json"
    document = json.loads(report.read_bytes())
    document["run_provenance"]["args"]["base_dir_from_report"] = 1
    write_text(report, json.dumps(document))
    ended = run_main(capsys, "verify", report)
    assert ended.code == 2
    assert "base_dir_from_report: found 1; expected a text" in ended.err
