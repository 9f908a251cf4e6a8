"""What a user can get wrong is answered with an exit code and a message, and writes nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.builders import run_main
from tests.support.wrong_inputs import CASES
from tests.support.wrong_inputs.case import JOIN, RUN, Case

_ROOT_READS_ALL = "the superuser may read every file, so none is unreadable"
_TRACES = re.compile(r"m\.report\.failed\.(json|md)|m\.run-log\.jsonl|m\.lock|\.m\.report\.json\.state(/.*)?")
"""The files that a run may leave of a batch with a failed table: why it failed, no part of an output."""


def _held(folder: Path) -> dict[str, bytes | None]:
    """Everything below `folder`: files with their content, folders with None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def _params() -> list[object]:
    locked = pytest.mark.skipif(os.geteuid() == 0, reason=_ROOT_READS_ALL)
    return [pytest.param(case, id=case.name, marks=[locked] if case.locked else []) for case in CASES]


@pytest.mark.parametrize("case", _params())
def test_a_wrong_input_is_refused_with_a_message_and_writes_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every error is a message that helps, without a traceback, under its exit code; no output is left."""
    case.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = _held(tmp_path)
    ended = run_main(capsys, *case.argv)
    after = _held(tmp_path)
    assert ended.code == case.code
    assert re.search(case.says, ended.err, re.DOTALL), ended.err
    assert not re.search("Traceback|internal error", ended.err)
    assert {name: after.get(name) for name in before} == before
    left = set(after) - set(before)
    if case.argv[0] == "run" and case.code != 2:
        left = {name for name in left if after[name] is not None and not _TRACES.fullmatch(name)}
    assert left == set()


@pytest.mark.parametrize("argv", [RUN, JOIN], ids=["run", "join"])
def test_the_files_that_the_cases_change_are_sound(
    argv: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a case's change the same commands succeed, so that each case fails for its own reason."""
    Case("sound", "").write(tmp_path)
    monkeypatch.chdir(tmp_path)
    ended = run_main(capsys, *argv)
    assert (ended.code, ended.err.count("second-opinion:")) == (0, 0)
    assert (tmp_path / "joined/t.jsonl").is_file()


def test_the_cases_are_many_and_each_has_a_name_of_its_own() -> None:
    """At least forty wrong inputs are tried, and none hides behind the name of another."""
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
