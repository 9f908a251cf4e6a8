"""Why evidence cannot be given is read from the records of its parts, as the reasons of tables are."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="the extra `evidence` is not installed")

from pipeline.errors import OutputError
from pipeline.evidence import work
from pipeline.evidence.state import EvidenceState
from pipeline.tasks.shared import PROCESS_DIED
from tests.support.builders import run_main
from tests.support.evidence_batches import document, evidence_batch


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A batch of the tables a and b."""
    return evidence_batch(tmp_path, "a", "b")


def computing(monkeypatch: pytest.MonkeyPatch, part: str, instead: Callable[[], object]) -> None:
    """Have something else happen where one part is computed, such as `impact-a`."""
    compute = work.compute_part

    def computed(kind: Any, state: Any, entry: Any) -> Any:
        if f"{kind}-{entry.id}" == part:
            instead()
        return compute(kind, state, entry)

    monkeypatch.setattr(work, "compute_part", computed)


def failing() -> None:
    """Raise an exception that no user can cause."""
    raise ValueError("odd")


def errors(folder: Path) -> list[tuple[str, str]]:
    """The tables of the failed audit that failed, each with its error."""
    return [(each["id"], each["error"]) for each in document(folder, "audit.failed")["errors"]]


@pytest.mark.parametrize("part", ["audit-a", "impact-a"])
def test_an_internal_error_is_named(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    """It is recorded as a table's is, and it alone: parts that were not begun for it are no failures."""
    computing(monkeypatch, part, failing)
    ended = run_main(capsys, "impact", manifest)
    assert (ended.code, "a: internal error: ValueError: odd" in ended.err) == (1, True)
    assert errors(manifest.parent) == [("a", "internal error: ValueError: odd")]


def test_a_process_that_is_killed(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The process that started it records that it died; the next run computes what is missing."""
    with monkeypatch.context() as patch:
        computing(patch, "impact-b", lambda: os.kill(os.getpid(), signal.SIGKILL))
        ended = run_main(capsys, "impact", manifest, "--workers", 2)
    assert (ended.code, f"b: {PROCESS_DIED}" in ended.err) == (1, True)
    assert errors(manifest.parent) == [("b", PROCESS_DIED)]
    assert run_main(capsys, "impact", manifest).code == 0


def test_a_failure_that_cannot_be_recorded(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the reason is lost, the message does not invent one."""

    def refuse(*_: object) -> None:
        raise OutputError("No space left on device")

    computing(monkeypatch, "audit-a", failing)
    record = EvidenceState.record_part
    monkeypatch.setattr(
        EvidenceState,
        "record_part",
        lambda self, kind, result, entry: record(self, kind, result, entry) if entry.id == "b" else refuse(),
    )
    ended = run_main(capsys, "audit", manifest)
    assert ended.code == 1
    assert "a: .m.report.json.state: no record says why; its process was ended, or the folder" in ended.err


def test_a_manifest_that_is_edited_meanwhile(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parts of two manifests are no evidence of either: the run ends and says so."""
    computing(monkeypatch, "audit-b", lambda: manifest.write_bytes(manifest.read_bytes() + b"\n"))
    ended = run_main(capsys, "audit", manifest)
    assert (ended.code, "the manifest changed while the batch ran; run again" in ended.err) == (1, True)
    assert run_main(capsys, "audit", manifest).code == 0
