"""A disk that is full, or cannot be written: a clear error, nothing lost, nothing partial; then it goes on."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.builders import lasting, run_main, run_manifest, small_batch, tree, write_jsonl
from tests.support.forks import forked
from tests.support.processes import COMMAND, started

PAGE = 4096
ROWS = 3_000


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring coverage would write to the disk that is full, and act on the signals and forks that are tried here."""
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A batch that was complete, and whose one table, of some hundred kilobytes, is stale."""
    return stale(tmp_path / "batch")


def stale(folder: Path) -> Path:
    """The batch in that folder."""
    manifest = small_batch(folder, ROWS, audit_json="joined/t.audit.json")
    assert run_manifest(manifest).exit_code == 0
    write_jsonl(folder / "dover.jsonl", [{"clip_id": f"c{row}", "score": row} for row in range(ROWS)])
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    """The joined table and its audit, and whatever else stands beside them."""
    return tree(folder / "joined")


def undisturbed(folder: Path, free: Path) -> dict[str, bytes]:
    """What a run of the batch leaves behind, from nothing, in a folder that nothing hinders."""
    free.mkdir()
    for name in ("m.json", "features.jsonl", "dover.jsonl"):
        shutil.copy(folder / name, free)
    assert run_manifest(free / "m.json").exit_code == 0
    return lasting(free)


def completes(folder: Path, new: dict[str, bytes]) -> None:
    """The next run leaves what an undisturbed one does, and clears what was left."""
    ended = forked(folder, "run", "m.json")
    assert ended.returncode == 0, ended.stderr
    assert lasting(folder) == new
    assert [name for name in tree(folder) if name.endswith(".tmp")] == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_table_that_does_not_fit(folder: Path, workers: str) -> None:
    """A table that grows beyond what the system takes fails with a message, and the old one still stands."""
    new, before = undisturbed(folder, folder.with_name("free")), outputs(folder)
    ended = started(folder, "prlimit", "--fsize=100000", *COMMAND, "run", "m.json", "--workers", workers)
    assert ended.returncode == 1
    reason = os.strerror(errno.EFBIG)
    assert f"t: joined/t.jsonl and joined/t.audit.json: cannot be written: {reason}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert outputs(folder) == before
    completes(folder, new)


def test_a_record_that_does_not_fit(folder: Path) -> None:
    """Where there is room for a part of its record only, a table does not take its place, or it would stand unknown."""
    new, before = undisturbed(folder, folder.with_name("free")), outputs(folder)
    (journal,) = folder.glob(".*.state/*.jsonl")
    journal.write_bytes(journal.read_bytes() + b" " * 1_000_000 + b"\n")
    limit = f"--fsize={journal.stat().st_size + 100}"
    ended = started(folder, "prlimit", limit, *COMMAND, "run", "m.json")
    assert ended.returncode == 1
    assert f"/{journal.name}: cannot be written: {os.strerror(errno.EFBIG)}" in ended.stderr
    assert outputs(folder) == before
    completes(folder, new)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disk: Path, free_pages: int) -> Path:
    """Fill the disk but for some pages; gives the file that does."""
    filler = disk / "filler"
    found = os.statvfs(disk)
    filler.write_bytes(bytes(found.f_bavail * found.f_frsize - free_pages * PAGE))
    return filler


def lose_report(folder: Path) -> None:
    """Complete the batch, then take its report away."""
    assert run_manifest(folder / "m.json").exit_code == 0
    for name in ("m.report.json", "m.report.md"):
        (folder / name).unlink()


@pytest.mark.parametrize(
    ("prepare", "step"),
    [(lambda _: None, 10), (lose_report, 1)],
    ids=["while the table is written", "while the report is written"],
)
def test_a_full_disk(
    disk: Path, capsys: pytest.CaptureFixture[str], prepare: Callable[[Path], None], step: int
) -> None:
    """Wherever in a run the disk becomes full: exit code 1, a message that names a file, no part of a new file."""
    folder = stale(disk / "batch")
    old = lasting(folder)
    new = undisturbed(folder, disk.with_name("free"))
    prepare(folder)
    codes: list[int] = []
    while 0 not in codes:
        filler = fill(disk, free_pages=step * len(codes))
        ended = run_main(capsys, "run", folder / "m.json")
        filler.unlink()
        codes.append(ended.code)
        if ended.code:
            message = rf"second-opinion: \S.*/\S+: cannot be written: {os.strerror(errno.ENOSPC)}\n"
            assert re.search(message, ended.err), ended.err
        for name in set(old) & set(lasting(folder)):
            assert (folder / name).read_bytes() in (old[name], new[name]), name
    assert set(codes) == {0, 1}
    completes(folder, new)


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    """Where a file has the place of the output's folder the table fails, naming its files; then it is made."""
    shutil.rmtree(folder / "joined")
    (folder / "joined").write_text("no folder")
    ended = forked(folder, "run", "m.json")
    assert ended.returncode == 1
    reason = os.strerror(errno.EEXIST)
    assert f"t: joined/t.jsonl and joined/t.audit.json: cannot be written: {reason}" in ended.stderr
    assert (folder / "joined").read_text() == "no folder"
    (folder / "joined").unlink()
    completes(folder, undisturbed(folder, folder.with_name("free")))


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("joined", "t: joined/t.jsonl and joined/t.audit.json: cannot be written: "),
        (".m.report.json.state", ".m.report.json.state/"),
        (".", "m.lock: cannot be written: "),
    ],
    ids=["outputs", "records", "everything"],
)
def test_a_folder_that_is_read_only(folder: Path, place: str, message: str) -> None:
    """Where a folder cannot be written the run says which file it could not write, and what was there still stands."""
    new = undisturbed(folder, folder.with_name("free"))
    before = outputs(folder)
    # a view of the file system for this one process, in which the folder is read-only, even to root
    view = (
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        READ_ONLY,
        "sh",
        str(folder / place),
    )
    able = started(folder, *view, "true")
    if able.returncode:
        pytest.skip(f"no folder can be made read-only here: {able.stderr.strip()}")
    ended = started(folder, *view, "sh", "-c", 'cd "$0" && exec "$@"', str(folder), *COMMAND, "run", "m.json")
    assert ended.returncode == 1
    assert message in ended.stderr
    assert os.strerror(errno.EROFS) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert outputs(folder) == before
    completes(folder, new)
