"""The exit code of a batch, by the statuses of its tables."""

from __future__ import annotations

import pytest

from pipeline.errors import exit_code


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["ok"], 0),
        (["ok", "ok"], 0),
        (["ok", "waiting"], 3),
        (["waiting"], 3),
        (["failed", "waiting", "ok"], 1),
        (["not_run", "waiting"], 1),
        (["stale"], 1),
        (["ok", "missing"], 1),
    ],
)
def test_the_exit_code_of_a_batch(statuses: list[str], code: int) -> None:
    """0: every table is ok; 3: the rest waits for inputs; 1: there is something to do or to mend."""
    assert exit_code(statuses) == code
