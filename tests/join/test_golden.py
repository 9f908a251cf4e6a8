"""The bytes of joined tables change only together with the version of the join's semantics."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import golden

ADVICE = (
    "the same inputs and options give other bytes. If that is meant, raise SEMANTICS_VERSION in "
    "pipeline/records/versions.py, so that tables made before count as stale; then run `python -m tests.support.golden`. "
    "If only manifests/demo changed, run that command alone."
)


def test_the_joined_tables_of_the_demo(tmp_path: Path) -> None:
    """The demo's joined tables are those kept in tests/data/golden.json, made by the version named there."""
    kept = json.loads(golden.KEPT.read_bytes())
    made = golden.made(tmp_path)
    if made["semantics_version"] == kept["semantics_version"]:
        assert made["sha256"] == kept["sha256"], ADVICE
    assert made == kept, "SEMANTICS_VERSION was raised: run `python -m tests.support.golden`"
