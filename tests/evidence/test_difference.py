"""The page of `diff`: what changed between two batches, with a picture per scorer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builders import clips, local, run_main, run_manifest, write_json, write_jsonl

NAME = "do<b>ver & co"


def report(folder: Path, *scores: float) -> Path:
    """The report of a batch of one table of a few clips with these scores."""
    write_jsonl(folder / "f.jsonl", clips(*(f"c{row}" for row in range(len(scores)))))
    rows = [{"clip_id": f"c{row}", "score": score} for row, score in enumerate(scores)]
    write_jsonl(folder / "d.jsonl", rows)
    entry = {"id": "t", "features": "f.jsonl", "scores": [{"path": "d.jsonl", "label": NAME}], "out": "t.csv"}
    return local(run_manifest(write_json(folder / "m.json", {"tables": [entry]})).report_json)


@pytest.fixture
def reports(tmp_path: Path) -> list[Path]:
    """An old and a new report."""
    return [report(tmp_path / "old", 1, 2, 3, 4), report(tmp_path / "new", 1, 2.5, 3, 2)]


def test_the_page_shows_figures_and_a_picture(
    reports: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page has the figures of the terminal, one picture per scorer, and names only as text."""
    ended = run_main(capsys, "diff", *reports, "--page", tmp_path / "d.html")
    assert ended.code == 1
    page = (tmp_path / "d.html").read_text("utf-8")
    assert page.count("<svg") == 1
    assert "new score against old score" in page
    assert "do&lt;b&gt;ver &amp; co" in page
    assert "<b>ver" not in page
    assert "c3" in page


def test_equal_batches_have_a_page_too(
    reports: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page of equal batches says so."""
    assert run_main(capsys, "diff", reports[0], reports[0], "--page", tmp_path / "d.html").code == 0
    assert "The batches are equal" in (tmp_path / "d.html").read_text("utf-8")


def test_a_page_that_cannot_be_written(
    reports: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder in the place of the page, or no name at all, is an error; nothing else changes."""
    (tmp_path / "folder").mkdir()
    assert run_main(capsys, "diff", *reports, "--page", tmp_path / "folder").code == 1
    assert run_main(capsys, "diff", *reports, "--page", "").code == 2


def test_without_the_extra(
    reports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the extra's libraries the message says what to install."""
    monkeypatch.setattr("pipeline.evidence.state._LIBRARIES", ("no-such-library",))
    ended = run_main(capsys, "diff", *reports, "--page", tmp_path / "d.html")
    assert ended.code == 2
    assert "pip install 'second-opinion[evidence]'" in ended.err
