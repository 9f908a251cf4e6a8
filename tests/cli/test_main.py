"""The command line: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline.tasks.run
from pipeline import __version__
from pipeline.cli.commands import cli
from tests.support.builders import (
    lasting,
    read_jsonl,
    run_main,
    small_batch,
    tree,
    write_jsonl,
    write_manifest,
    write_text,
)

HEAVY = {"luigi", "numpy", "pandas", "pyarrow"}
COMMANDS = sorted(cli.commands)
JOIN = ("join", "--features", "features.jsonl", "--scores", "dover=dover.jsonl", "--out", "t.csv")
ENTRY = {"id": "t", "features": "features.jsonl", "scores": ["dover=dover.jsonl"], "out": "t.csv"}
# What sets a terminal's title, and what clears its screen: a message must not pass them on.
OBEYED = "\x1b]0;taken\x07\x1b[2J"


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def real(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with the times of its imports on stderr."""
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("command", [[], *([each] for each in COMMANDS)], ids=["none", *COMMANDS])
def test_help_waits_for_no_heavy_import(command: list[str]) -> None:
    """`--help` of every command answers at once, with its exit codes and what to type."""
    shown = real(*command, "--help")
    assert shown.returncode == 0
    code = "1  different" if command == ["diff"] else "another run holds this batch"
    for expected in ("Usage: second-opinion", "Example", "Exit codes:", code):
        assert expected in shown.stdout
    loaded = set(re.findall(r"^import time:.*\| +([^.\s]+)", shown.stderr, re.MULTILINE))
    assert "click" in loaded
    assert loaded & HEAVY == set()


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the version that reports name."""
    ended = run_main(capsys, "--version")
    assert (ended.code, ended.out) == (0, f"second-opinion, version {__version__}\n")


def test_run_prints_the_digest_that_a_training_job_cites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A complete batch ends with 0 and the sha256 of the report's bytes; nothing is complained of."""
    ended = run_main(capsys, "run", small_batch(tmp_path))
    report = tmp_path / "m.report.json"
    assert ended.code == 0
    assert ended.out.endswith(f"report: {report} (ok)\nsha256: {digest(report)}\n")
    assert re.search(r"t +ok +3 +3 +dover 3/0/0", ended.out)
    assert ended.err == "t: complete (1 of 1)\n"
    assert len(read_jsonl(tmp_path / "joined/t.jsonl")) == 3


@pytest.mark.parametrize(
    ("present", "code", "statuses"),
    [
        (("b.jsonl", "c.jsonl"), 0, ["ok", "ok", "ok"]),
        (("b.jsonl",), 3, ["ok", "ok", "waiting"]),
        ((), 3, ["ok", "waiting", "waiting"]),
        (("b.jsonl", "bad"), 1, ["ok", "ok", "failed"]),
        (("bad",), 1, ["ok", "waiting", "failed"]),
    ],
    ids=["complete", "one-waits", "two-wait", "one-fails", "one-fails-one-waits"],
)
def test_run_ends_with_the_code_of_its_worst_table(
    present: tuple[str, ...],
    code: int,
    statuses: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0: complete; 3: nothing failed, but an input is not there yet; 1: a table failed. The others still run."""
    small_batch(tmp_path)
    for name in present:
        rows = [{"clip_id": f"c{row}", "score": "none" if name == "bad" else row} for row in range(3)]
        write_jsonl(tmp_path / ("c.jsonl" if name == "bad" else name), rows)
    tables = [
        {"id": each, "features": "features.jsonl", "scores": [f"x={source}"], "out": f"{each}.csv"}
        for each, source in (("ta", "dover.jsonl"), ("tb", "b.jsonl"), ("tc", "c.jsonl"))
    ]
    ended = run_main(capsys, "run", write_manifest(tmp_path / "m.json", tables))
    assert ended.code == code
    report = tmp_path / ("m.report.json" if code == 0 else "m.report.failed.json")
    assert [table["status"] for table in json.loads(report.read_text("utf-8"))["tables"]] == statuses
    assert [(tmp_path / f"{each}.csv").is_file() for each in ("ta", "tb", "tc")] == [
        status == "ok" for status in statuses
    ]
    assert digest(report) in ended.out


def test_run_writes_its_report_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--base-dir`, `--report-json` and `--report-md` move what is read and written, and nothing else."""
    manifest = small_batch(tmp_path / "in").rename(tmp_path / "m.json")
    places = [
        "--base-dir",
        tmp_path / "in",
        "--report-json",
        tmp_path / "r/a.json",
        "--report-md",
        tmp_path / "r/b.md",
    ]
    assert run_main(capsys, "run", manifest, *places).code == 0
    assert {name for name in lasting(tmp_path) if not name.startswith("in/")} == {
        "m.json",
        "r/a.json",
        "r/b.md",
    }
    assert (tmp_path / "in/joined/t.jsonl").is_file()


def test_run_warns_of_a_low_match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scorer that covers less than half of a complete table is told, with keys of both sides."""
    manifest = small_batch(tmp_path, missing_policy="mark")
    write_jsonl(tmp_path / "dover.jsonl", [{"clip_id": "c0", "score": 1}, {"clip_id": "x", "score": 1}])
    ended = run_main(capsys, "run", manifest)
    assert ended.code == 0
    assert "t: dover matched 1 of 3 rows" in ended.err
    assert "unmatched keys of the feature table: 'c1', 'c2'" in ended.err
    assert "unmatched keys of the sidecar: 'x'" in ended.err


def test_fail_fast_begins_no_other_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a table has failed, `--fail-fast` makes none of those that have not begun."""
    small_batch(tmp_path)
    tables = [
        {"id": each, "features": "features.jsonl", "scores": ["x=bad.jsonl"], "out": f"{each}.csv"}
        for each in ("ta", "tb", "tc")
    ]
    write_jsonl(tmp_path / "bad.jsonl", [{"clip_id": "c0"}])
    ended = run_main(capsys, "run", write_manifest(tmp_path / "m.json", tables), "--fail-fast")
    report = json.loads((tmp_path / "m.report.failed.json").read_text("utf-8"))
    assert ended.code == 1
    assert sorted(table["status"] for table in report["tables"]) == ["failed", "not_run", "not_run"]


def test_join_prints_the_counts_of_each_scorer_and_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`join` says what each scorer covers, in order of label, and what it wrote."""
    small_batch(tmp_path, rows=4)
    musiq = "clip_id,score,status\nc0,1,ok\nc1,,oom\nx,3,\n"
    write_text(tmp_path / "musiq.csv", musiq)
    monkeypatch.chdir(tmp_path)
    scores = ["--scores", "musiq=musiq.csv", "--scores", '{"path": "dover.jsonl", "label": "dover"}']
    options = ["--missing-policy", "mark", "--prefix", "nr", "--audit-json", "t.audit.json"]
    ended = run_main(capsys, "join", "--features", "features.jsonl", *scores, "--out", "t.jsonl", *options)
    assert ended.code == 0
    assert ended.err == ""
    assert ended.out.splitlines() == [
        "dover: 4 matched, 0 missing, 0 bad, 0 unused",
        "musiq: 1 matched, 2 missing, 1 bad, 1 unused",
        f"t.jsonl: 4 rows, sha256 {digest(tmp_path / 't.jsonl')}",
    ]
    statuses = [row["nr_musiq_status"] for row in read_jsonl(tmp_path / "t.jsonl")]
    assert statuses == ["ok", "bad", "missing", "missing"]
    assert json.loads((tmp_path / "t.audit.json").read_text("utf-8"))["missing_policy"] == "mark"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("nothing", 0, r""),
        ("features.jsonl", 3, r"not there yet\n  - t\.features: .*features\.jsonl"),
        ("dover.jsonl", 3, r"not there yet\n  - t\.scores\[0\]: .*dover\.jsonl"),
        ("manifest", 2, r"tables: missing; expected a list"),
    ],
)
def test_check_tells_and_writes_nothing(
    change: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0: no fault, all inputs there; 3: which are not there yet; 2: the manifest's faults. No file changes."""
    manifest = small_batch(tmp_path)
    if change == "manifest":
        write_text(manifest, "{}")
    elif change != "nothing":
        (tmp_path / change).unlink()
    before = tree(tmp_path)
    ended = run_main(capsys, "check", manifest)
    assert ended.code == code
    assert re.search(said, ended.err)
    assert ended.out == ("" if code == 2 else f"{manifest}: 1 table, no fault\n")
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"clip_id": OBEYED, "score": None}], "field score: found None"),
        ([{"clip_id": "c0", "score": OBEYED}], "field score: found "),
        ([{"clip_id": "c0", "score": 1, "competitor": OBEYED}], "field competitor: found "),
        ([{"clip_id": OBEYED, "score": 1}] * 2, "again, first at "),
        ([{"clip_id": OBEYED, "score": 1}], "unmatched keys of the sidecar: "),
        ([{OBEYED: "c0", "score": 1}], "the row has: "),
    ],
    ids=["key", "score", "scorer", "twice", "unmatched", "field"],
)
@pytest.mark.parametrize("command", ["run", "join"])
def test_what_is_wrong_is_shown_without_what_a_terminal_obeys(
    command: str,
    rows: list[dict[str, object]],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A message quotes what it found with control characters escaped, so that no file can play a terminal."""
    small_batch(tmp_path)
    write_jsonl(tmp_path / "dover.jsonl", rows)
    monkeypatch.chdir(tmp_path)
    ended = run_main(capsys, *(JOIN if command == "join" else ["run", "m.json"]))
    assert ended.code == 1
    assert said in ended.err
    assert not set(ended.err + ended.out) & {"\x1b", "\x07"}


def test_a_manifest_cannot_play_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id that holds control characters is refused, and shown with them escaped."""
    ended = run_main(capsys, "check", small_batch(tmp_path, id=OBEYED))
    assert ended.code == 2
    assert r"tables[0].id: found '\x1b]0;taken\x07\x1b[2J'; expected" in ended.err
    assert "\x1b" not in ended.err


def test_an_interrupt_ends_with_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is answered with a line, not a traceback."""

    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline.tasks.run, "run_batch", interrupted)
    ended = run_main(capsys, "run", small_batch(tmp_path))
    assert ended.code == 130
    assert ended.err.strip() == "second-opinion: interrupted; nothing is half-written"


@pytest.mark.parametrize(
    ("command", "code"), [("run m.json", 0), ("run bad.json", 1), ("check m.json", 0), (" ".join(JOIN), 0)]
)
def test_a_reader_that_has_gone_changes_no_exit_code(command: str, code: int, tmp_path: Path) -> None:
    """`second-opinion run m.json | head -0`: the work is done, and the code is that of the work."""
    small_batch(tmp_path)
    write_manifest(tmp_path / "bad.json", [ENTRY | {"key_column": "none"}])
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "second_opinion", *command.split()],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    os.close(writing)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
