"""Evidence given by workers of a real luigid on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the extra `evidence` is not installed")

from tests.support.builders import tree
from tests.support.evidence_batches import document, evidence_batch, given_evidence
from tests.support.processes import COMMAND, Luigid, luigid, running, second_opinion


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Luigid]:
    """A luigid."""
    with luigid(tmp_path_factory.mktemp("luigid")) as started_server:
        yield started_server


def test_two_workers_give_one_impact(
    tmp_path: Path, server: Luigid, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Both end with the verdict, and what they leave is what one command without a luigid leaves."""
    evidence_batch(tmp_path / "batch", "a", "b")
    asked = (*COMMAND, "impact", "m.json", "--scheduler", server.url)
    with running(tmp_path / "batch", *asked) as one, running(tmp_path / "batch", *asked) as two:
        ended = [one.end(), two.end()]
    assert [each.returncode for each in ended] == [0, 0], [each.stderr for each in ended]
    batch, alone = tree(tmp_path / "batch"), tree(given_evidence(tmp_path_factory, "a", "b"))
    for name in ("m.audit.json", "m.impact.json", "m.html"):
        assert batch[name] == alone[name], name


def test_a_mended_failure_is_tried_again_at_once(tmp_path: Path, server: Luigid) -> None:
    """A luigid that saw an audit fail lets the next run give it as soon as the manifest is mended."""
    asked = ("audit", "m.json", "--scheduler", server.url)
    evidence_batch(tmp_path, target="dmos")
    failed = second_opinion(tmp_path, *asked)
    assert (failed.returncode, "found no numeric column named 'dmos'" in failed.stderr) == (1, True)
    evidence_batch(tmp_path)
    mended = second_opinion(tmp_path, *asked)
    assert mended.returncode == 0, mended.stderr
    assert document(tmp_path, "audit")["status"] == "ok"
    evidence_batch(tmp_path, corpus="other")
    again = second_opinion(tmp_path, *asked)
    assert again.returncode == 0, again.stderr
    assert document(tmp_path, "audit")["tables"][0]["corpus"] == "other"
