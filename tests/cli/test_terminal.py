"""What comes from inputs reaches no terminal as anything but text: no escape sequence, no line of its own, no markup."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builders import clips, small_batch, table_entry, write_json, write_jsonl, write_manifest
from tests.support.forks import begun

SEQUENCES = "\x1b]8;;http://a.example\x1b\\x\x1b[35;5;7mx\x9b31mx\x07\u202ex\r"
"""A link (OSC 8), colours (CSI, and C1's), the bell, text from right to left, the begin of the line."""

HOSTILE = f"a{SEQUENCES}\nreport: ok[red]z[/red]:bug:"
NAME = HOSTILE.replace("/", "!")
OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # what rich colours and moves with


def labels(folder: Path) -> list[list[str]]:
    """Batches whose scorer has a hostile name: one that is complete, and one that hardly matches."""
    manifest = small_batch(folder, scores=["dover.jsonl"], missing_policy="mark")
    write_jsonl(folder / "dover.jsonl", clips("c0", *map(str, range(9)), score=1, competitor=HOSTILE))
    joined = ["join", "--features", "features.jsonl", "--scores", "dover.jsonl", "--out", "o.csv"]
    return [["run", manifest.name], [*joined, "--missing-policy", "mark"]]


def keys(folder: Path) -> list[list[str]]:
    """Batches that fail, with hostile keys and fields in the message."""
    manifest = small_batch(folder, score_key_field=HOSTILE)
    rows = [{HOSTILE: HOSTILE, "score": score} for score in (1, 2, HOSTILE)]
    write_jsonl(folder / "dover.jsonl", [*rows, {"clip_id": HOSTILE}])
    return [["run", manifest.name], ["status", manifest.name], ["run", manifest.name, "--workers", "2"]]


def columns(folder: Path) -> list[list[str]]:
    """A feature table without a key column, one that is no table, and a message of pyarrow."""
    write_jsonl(folder / "a.jsonl", [{HOSTILE: 1}])
    (folder / "b.csv").write_text(f'clip_id\n"{SEQUENCES}",{SEQUENCES}\n', "utf-8")
    (folder / "c.parquet").write_text(SEQUENCES, "utf-8")
    write_jsonl(folder / "a.dover.jsonl", clips("c0", score=1))
    tables = [
        table_entry(name, features=features, scores=["dover=a.dover.jsonl"])
        for name, features in (("a", "a.jsonl"), ("b", "b.csv"), ("c", "c.parquet"))
    ]
    write_manifest(folder / "m.json", tables)
    return [["run", "m.json"]]


def faults(folder: Path) -> list[list[str]]:
    """A manifest that is hostile in every place."""
    entry = table_entry(HOSTILE, features=f"{HOSTILE}.csv", out=HOSTILE, scores=[f"{HOSTILE}={HOSTILE}"])
    write_json(folder / "m.json", {HOSTILE: 1, "tables": [entry, entry | {HOSTILE: HOSTILE, "prefix": 1}]})
    return [["check", "m.json"], ["run", "m.json"], ["status", "m.json"]]


def names(folder: Path) -> list[list[str]]:
    """Files with hostile names, on one line, that are there, absent, faulty or gone."""
    line = NAME.replace("\n", "")
    manifest = folder / f"{line}.json"
    write_jsonl(folder / f"{line}.jsonl", clips("c0"))
    write_jsonl(folder / f"{line}.s.jsonl", clips("c0", score="bad"))
    tables = [
        {
            "id": name,
            "features": f"{line}.{kind}",
            "scores": [f"{line}={line}.s.jsonl"],
            "out": f"o/{line}{name}.csv",
        }
        for name, kind in (("a", "jsonl"), ("b", "csv"))
    ]
    write_manifest(manifest, tables)
    commands = [[command, manifest.name] for command in ("check", "run", "status")]
    return [*commands, ["verify", f"{line}.report.failed.json"], ["verify", f"{line}.none"]]


def lines(folder: Path) -> list[list[str]]:
    """Files whose names are of two lines, also one that a pattern matches."""
    write_jsonl(folder / f"each/{NAME}.jsonl", clips("c0", score="bad"))
    write_jsonl(folder / f"{NAME}.jsonl", clips("c0"))
    write_jsonl(folder / "f.jsonl", clips("c0"))
    entry = {"id": "t", "features": "f.jsonl", "scores": ["dover=each/*.jsonl"], "out": "o.csv"}
    write_manifest(folder / "m.json", [entry])
    write_manifest(folder / "n.json", [entry | {"features": f"{NAME}.jsonl"}])
    write_manifest(folder / f"{NAME}.json", [entry])
    join = ["join", "--features", f"{NAME}.jsonl", "--scores", f"{NAME}.none", "--out", f"{NAME}.csv"]
    runs = [["run", manifest] for manifest in ("m.json", "n.json", f"{NAME}.json", f"{NAME}.none")]
    more = [["run", "m.json", "--base-dir", NAME], ["run", "m.json", "--report-json", NAME], [NAME]]
    return [*runs, join, *more, ["verify", NAME], ["run", "m.json", NAME], ["run", "m.json", f"--{NAME}"]]


def reports(folder: Path) -> list[list[str]]:
    """A report that someone else has written."""
    small_batch(folder)
    assert ended(folder, ["run", "m.json"], terminal=False)[0] == 0
    report = json.loads((folder / "m.report.json").read_text("utf-8"))
    described = {"path": NAME, "exists": True, "kind": "file", "sha256": "0" * 64}
    (folder / "folder").mkdir()
    report["run_provenance"]["inputs"] |= {HOSTILE: described, "a": described | {"path": "folder"}}
    write_json(folder / "a.json", report)
    report["run_provenance"]["args"]["base_dir_from_report"] = NAME
    write_json(folder / "b.json", report)
    write_json(folder / "c.json", report | {HOSTILE: HOSTILE, "status": HOSTILE})
    return [["verify", name] for name in ("a.json", "b.json", "c.json")]


def ended(folder: Path, arguments: list[str], *, terminal: bool) -> tuple[int, str]:
    """The exit code of the command, and all that it printed, on a terminal or into a pipe."""
    reading, writing = pty.openpty() if terminal else os.pipe()
    end = begun(folder, arguments, writing, writing, TERM="xterm-256color", COLUMNS="250")
    os.close(writing)
    printed = bytearray()
    try:
        while part := os.read(reading, 65536):
            printed += part
    except OSError as exc:  # how Linux tells that the other side of a terminal has gone
        if exc.errno != errno.EIO:
            raise
    os.close(reading)
    return end(), printed.decode("utf-8")


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("start", [labels, keys, columns, faults, names, lines, reports])
def test_what_is_printed_is_text(
    tmp_path: Path, start: Callable[[Path], list[list[str]]], terminal: bool
) -> None:
    """No control character, no line and no markup of an input is printed, by any command, and yet its text is."""
    shown = []
    for command in start(tmp_path):
        code, printed = ended(tmp_path, command, terminal=terminal)
        assert code in (0, 1, 2, 3), printed
        assert "Traceback" not in printed
        if terminal:
            assert {"35;5;7" in each for each in OWN.findall(printed)} <= {False}, printed
            printed = OWN.sub("", printed).replace("\r", "")
        assert [each for each in printed if not each.isprintable() and each != "\n"] == [], printed
        assert not re.search(r"^\W*report: ok\[", printed, re.MULTILINE), printed
        shown += re.findall(r"\\x1b\[35;5;7m.*\[red\]", printed)
    assert shown
