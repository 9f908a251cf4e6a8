"""The local scheduler beside Luigi's own: the same tasks in the same order, for less work per request."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from luigi.scheduler import Scheduler

from pipeline.tasks import localscheduler
from pipeline.tasks.localscheduler import LocalScheduler
from tests.support.builders import batch_of, clips, run_manifest, write_jsonl

REPORT = "report"


def given_out(scheduler: Any, seed: int) -> list[str]:
    """What a worker is given to do in turn, up to 60 tasks, where some of twelve tables fail or were there before."""
    chosen = random.Random(seed)  # noqa: S311  # nothing here is secret
    tables = [f"t{number:02}" for number in range(12)]
    _tell(scheduler, REPORT, deps=tables, priority=0)
    for place in chosen.sample(range(12), 12):
        status = chosen.choice(["PENDING", "PENDING", "DONE"])
        _tell(scheduler, tables[place], status=status, runnable=status == "PENDING", priority=12 - place)
    given: list[str] = []
    while (task := scheduler.get_work(worker="w", host="h", current_tasks=[])["task_id"]) and len(given) < 60:
        given.append(task)
        _tell(scheduler, task, status=chosen.choice(["DONE", "DONE", "FAILED"]), runnable=None, expl="")
    return given


def _tell(scheduler: Any, task: str, **told: Any) -> None:
    scheduler.add_task(worker="w", task_id=task, **({"status": "PENDING", "runnable": True} | told))


@pytest.mark.parametrize("retry_delay", [900.0, 0.0], ids=["failures stay", "failures are tried again"])
@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_luigis(monkeypatch: pytest.MonkeyPatch, seed: int, retry_delay: float) -> None:
    """Tasks are given out, held back and tried again as Luigi's own scheduler would."""
    monkeypatch.setattr(localscheduler, "LOOK_AGAIN_SECONDS", 0.0)
    own = Scheduler(prune_on_get_work=True, retry_delay=retry_delay)  # type: ignore[no-untyped-call]  # luigi's
    assert given_out(LocalScheduler(retry_delay=retry_delay), seed) == given_out(own, seed)


def test_a_table_is_heard_of_when_its_turn_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time Luigi chooses, it has one task to choose from, be there ever so many; the report comes last."""
    choices: list[list[str]] = []
    get_work = Scheduler.get_work

    def chosen(self: Any, **request: Any) -> Any:
        waiting = self.task_list(status="PENDING", upstream_status="")
        choices.append([task["params"].get("table", REPORT) for task in waiting.values()])
        return get_work(self, **request)

    monkeypatch.setattr(Scheduler, "get_work", chosen)
    assert run_manifest(batch_of(tmp_path, "abcd")).exit_code == 0
    assert choices == [["a"], ["b"], ["c"], ["d"], [REPORT], []]


def test_all_tasks_are_looked_at_by_the_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Luigi prunes and counts when it is asked for work, and that is held back, also where all tables fail."""
    monkeypatch.setattr(localscheduler, "LOOK_AGAIN_SECONDS", 3600.0)
    looks: list[str] = []
    for name in ("prune", "count_pending"):
        _noting(monkeypatch, name, looks)
    manifest = batch_of(tmp_path, "abcd")
    for name in "abcd":
        write_jsonl(tmp_path / f"{name}.dover.jsonl", clips("c0", score="good"))
    assert run_manifest(manifest).exit_code == 1
    assert looks == ["prune", "count_pending"]


def _noting(monkeypatch: pytest.MonkeyPatch, name: str, looks: list[str]) -> None:
    """Have Luigi's own method of that name leave a note of each call."""
    method = getattr(Scheduler, name)

    def noted(self: Any, *args: Any) -> Any:
        looks.append(name)
        return method(self, *args)

    monkeypatch.setattr(Scheduler, name, noted)
