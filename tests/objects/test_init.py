"""`init` on a folder of a bucket: the manifest that the same files in a local folder get."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.objects.conftest import Stored
from tests.support.forks import forked
from tests.support.processes import ROOT

pytestmark = pytest.mark.objects
CORPORA = ("bvi_dvc", "chug", "youtube_ugc")


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Some of the demo's corpora, which have sidecars of several forms."""
    shown = ROOT / "manifests" / "demo"
    for name in CORPORA:
        shutil.copytree(shown / name, tmp_path / "corpora" / name)
    return tmp_path / "corpora"


def test_the_manifest_is_that_of_a_local_folder(stored: Stored, corpora: Path, tmp_path: Path) -> None:
    """It is written into the bucket, and its batch runs there; what is there already is not overwritten."""
    for path in corpora.rglob("*"):
        if path.is_file():
            stored.bucket.put(f"corpora/{path.relative_to(corpora)}", path.read_bytes())
    uri = f"{stored.bucket.uri}/corpora"
    ended = forked(tmp_path, "init", uri, **stored.environ)
    assert ended.returncode == 0, ended.stderr
    assert f"written: {uri}/second-opinion.json" in ended.stdout
    assert forked(tmp_path, "init", "corpora").returncode == 0
    written = stored.bucket.get("corpora/second-opinion.json")
    assert written == (corpora / "second-opinion.json").read_bytes()
    assert forked(tmp_path, "run", f"{uri}/second-opinion.json", **stored.environ).returncode == 0
    ended = forked(tmp_path, "init", uri, **stored.environ)
    assert ended.returncode == 2
    assert f"{uri}/second-opinion.json: found a file; expected none" in ended.stderr


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://tests/nothing", "s3://tests/nothing: found 0 feature tables and 0 sidecars among 0 files"),
        ("s3://absent/x", "found no such bucket"),
        ("s3://key:secret@b/x", "found credentials or a query in 's3://***@b/x'"),
    ],
)
def test_folders_without_a_batch(stored: Stored, uri: str, said: str) -> None:
    """A folder with nothing to join, an absent bucket and a URI with credentials are refused in a sentence."""
    ended = forked(stored.folder, "init", uri, **stored.environ)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
