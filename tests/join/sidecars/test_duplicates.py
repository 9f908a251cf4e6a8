"""Two rows of a scorer for one key."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SidecarError
from pipeline.join.materialize import materialize
from tests.support.builders import clips, joined, write_jsonl


@pytest.mark.parametrize("second", [1, 2], ids=["equal", "different"])
@pytest.mark.parametrize("policy", ["mark", "drop", "fail"])
def test_second_row_for_a_key(tmp_path: Path, second: int, policy: str) -> None:
    """A second row for a scorer and key is an error that shows both places, equal or not: never averaged."""
    rows = [{"clip_id": "a", "score": 1}, {"clip_id": "b", "score": 1}, {"clip_id": "a", "score": second}]
    with pytest.raises(
        SidecarError, match=r"dover\.jsonl line 3: the key 'a' again, first at dover\.jsonl line 1"
    ):
        joined(tmp_path, clips("a"), {"dover": rows}, missing_policy=policy)


def test_second_row_in_another_sidecar(tmp_path: Path) -> None:
    """Two sidecars may share a scorer, but not a key of it."""
    write_jsonl(tmp_path / "features.jsonl", clips("a", "b"))
    write_jsonl(tmp_path / "one.jsonl", clips("a", score=1, competitor="dover"))
    write_jsonl(tmp_path / "two.jsonl", clips("b", score=1, competitor="dover"))
    materialize("features.jsonl", ["one.jsonl", "two.jsonl"], "out.jsonl", base_dir=tmp_path)
    write_jsonl(tmp_path / "two.jsonl", clips("b", "a", score=1, competitor="dover"))
    with pytest.raises(
        SidecarError, match=r"two\.jsonl line 2: the key 'a' again, first at one\.jsonl line 1"
    ):
        materialize("features.jsonl", ["one.jsonl", "two.jsonl"], "out.jsonl", base_dir=tmp_path)


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({"key_normalize": "basename"}, "; key_normalize raw would keep them apart"),
        ({"key_normalize": "basename", "score_key_regex": r"(\d+)\.mp4"}, ""),
    ],
    ids=["raw helps", "raw does not help"],
)
def test_keys_that_collide_once_normalised(tmp_path: Path, options: dict[str, str], cure: str) -> None:
    """Keys that are one only after normalisation are an error that shows both, and says that raw helps if it does."""
    with pytest.raises(SidecarError) as caught:
        joined(tmp_path, clips("747.mp4"), {"dover": clips("a/747.mp4", "b/747.mp4", score=1)}, **options)
    key = "747" if "score_key_regex" in options else "747.mp4"
    said = f"the key 'b/747.mp4' becomes '{key}', as does 'a/747.mp4' at dover.jsonl line 1{cure}"
    assert str(caught.value).splitlines()[1] == f"  - dover.jsonl line 2: {said}"


def test_keys_that_differ_in_blanks_only(tmp_path: Path) -> None:
    """Keys that trimming makes one collide under raw too, so raw is not advised."""
    with pytest.raises(SidecarError, match=r"the key ' a' becomes 'a', as does 'a' at dover\.jsonl line 1$"):
        joined(tmp_path, clips("a"), {"dover": clips("a", " a", score=1)})
