"""The evidence of a batch in a bucket: the documents of the same batch in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.objects.conftest import Stored
from tests.support.evidence_batches import evidence_batch
from tests.support.forks import forked

pytestmark = pytest.mark.objects


def test_the_documents_are_those_of_a_local_batch(stored: Stored, tmp_path: Path) -> None:
    """Audit and impact are equal byte for byte, and a second call finds them up to date and writes nothing."""
    stored.folder = tmp_path / "declared"
    stored.folder.mkdir()
    evidence_batch(stored.folder, "one")
    stored.bucket.fill(stored.folder)
    for command in ("audit", "impact"):
        assert forked(stored.folder, command, "m.json").returncode == 0
        ended = stored(command)
        assert ended.returncode == 0, ended.stderr
        made = [path.name for path in stored.folder.glob(f"m.*{command}*") if path.is_file()]
        assert f"m.{command}.json" in made
        assert {name: stored.bucket.get(name) for name in made} == {
            name: (stored.folder / name).read_bytes() for name in made
        }
    before = stored.bucket.etags()
    assert stored("impact").returncode == 0
    assert stored.bucket.etags() == before
