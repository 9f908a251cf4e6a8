"""Luigi's private interface: one test per name that the project uses, and the local scheduler beside Luigi's own."""

from __future__ import annotations

import inspect
import random
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi import interface, task_status
from luigi.rpc import RemoteScheduler, RPCError
from luigi.scheduler import Scheduler
from luigi.worker import TaskProcess, Worker, worker

from pipeline.tasks import luigi_internals
from pipeline.tasks.luigi_internals import CentralScheduler, LocalScheduler
from tests.support.builders import batch_of, clips, run_manifest, write_jsonl

REPORT = "report"


def given_out(scheduler: Any, seed: int) -> list[str]:
    """What a worker is given to do in turn, up to 60 tasks, where some of twelve tables fail or were there before."""
    chosen = random.Random(seed)  # noqa: S311  # nothing here is secret
    tables = [f"t{number:02}" for number in range(12)]
    _report(scheduler, REPORT, deps=tables, priority=0)
    for at in chosen.sample(range(12), 12):
        status = chosen.choice(["PENDING", "PENDING", "DONE"])
        _report(scheduler, tables[at], status=status, runnable=status == "PENDING", priority=12 - at)
    given: list[str] = []
    while (task := scheduler.get_work(worker="w", host="h", current_tasks=[])["task_id"]) and len(given) < 60:
        given.append(task)
        _report(scheduler, task, status=chosen.choice(["DONE", "DONE", "FAILED"]), runnable=None, expl="")
    return given


def _report(scheduler: Any, task: str, **status: Any) -> None:
    scheduler.add_task(worker="w", task_id=task, **({"status": "PENDING", "runnable": True} | status))


@pytest.mark.parametrize("retry_delay", [900.0, 0.0], ids=["failures stay", "failures are tried again"])
@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_luigis(monkeypatch: pytest.MonkeyPatch, seed: int, retry_delay: float) -> None:
    """Tasks are given out, held back and tried again as Luigi's own scheduler would."""
    monkeypatch.setattr(luigi_internals, "LOOK_AGAIN_SECONDS", 0.0)
    own = Scheduler(prune_on_get_work=True, retry_delay=retry_delay)
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
    """Luigi prunes and counts when a worker requests work; that is held back, even if all tables fail."""
    monkeypatch.setattr(luigi_internals, "LOOK_AGAIN_SECONDS", 3600.0)
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


def parameters(method: Any) -> set[str]:
    """The names of a method's parameters."""
    return set(inspect.signature(method).parameters)


class Root(luigi.Task):
    """A task that does nothing."""

    task_namespace = "second_opinion_tests"

    ran = False

    def run(self) -> None:
        """Note the run."""
        self.ran = True

    def complete(self) -> bool:
        """Whether it ran."""
        return self.ran


def a_worker() -> Worker:
    """A worker of Luigi's with two processes, of a scheduler in this process."""
    return Worker(scheduler=Scheduler(), worker_processes=2)


def test_create_task_process() -> None:
    """`Worker._create_task_process(task)`: under another name every table is forked, in silence, which costs time."""
    assert parameters(Worker._create_task_process) == {"self", "task"}
    assert isinstance(a_worker()._create_task_process(Root()), TaskProcess)


def test_use_multiprocessing() -> None:
    """`TaskProcess.use_multiprocessing`: if Luigi no longer reads it, small tables are forked again."""
    process = a_worker()._create_task_process(Root())
    assert process.use_multiprocessing is True
    assert "use_multiprocessing" in inspect.getsource(Worker._run_task)


def test_worker_timeout() -> None:
    """`TaskProcess.worker_timeout`: without it the creation of every task's process ends in an AttributeError."""
    assert not a_worker()._create_task_process(Root()).worker_timeout


def test_force_multiprocessing() -> None:
    """`worker.worker().force_multiprocessing`: without it the creation of the worker ends in an AttributeError."""
    assert worker().force_multiprocessing is False


@pytest.mark.parametrize(
    "name",
    [
        "worker_processes",
        "assistant",
        "keep_alive",
        "wait_interval",
        "wait_jitter",
        "no_install_shutdown_handler",
    ],
)
def test_settings_of_a_worker(name: str) -> None:
    """Settings that `Factory.create_worker` passes: without `keep_alive` no worker waits for another one's table."""
    settings = {key for key, _ in worker.get_params()}
    assert name in settings | parameters(Worker.__init__)


def test_rpc_retry_attempts() -> None:
    """`RemoteScheduler._rpc_retry_attempts`: under another name a luigid that is down is noticed after a minute."""
    assert isinstance(RemoteScheduler("http://127.0.0.1:1")._rpc_retry_attempts, int)
    with pytest.raises(RPCError, match=r"\(1 attempts\)"):
        CentralScheduler("http://127.0.0.1:1", tries=1).with_status("RUNNING")


def test_rpc_retry_wait() -> None:
    """`RemoteScheduler._rpc_retry_wait`: under another name a restarted luigid is seen half a minute later."""
    assert isinstance(RemoteScheduler("http://127.0.0.1:1")._rpc_retry_wait, int)


def test_task_list() -> None:
    """`Scheduler.task_list`: without a task's `params` in its reply a run cannot tell its batch's tasks from others."""
    scheduler: Any = Scheduler()
    scheduler.add_task(worker="w", task_id="t", status="PENDING", params={"table": "a"})
    assert scheduler.task_list(status="PENDING", upstream_status="")["t"]["params"] == {"table": "a"}


def test_re_enable_task() -> None:
    """`Scheduler.re_enable_task`: without it a luigid holds back a table for a day after it failed once."""
    scheduler: Any = Scheduler()
    once = {"retry_count": 1}
    scheduler.add_task(worker="w", task_id="t", status="PENDING", retry_policy_dict=once)
    scheduler.add_task(worker="w", task_id="t", status="FAILED", retry_policy_dict=once)
    assert list(scheduler.task_list(status="DISABLED", upstream_status="")) == ["t"]
    scheduler.re_enable_task("t")
    assert scheduler.task_list(status="DISABLED", upstream_status="") == {}


@pytest.mark.parametrize("name", ["task_id", "status", "runnable", "priority", "params", "family"])
def test_add_task(name: str) -> None:
    """`add_task` by keyword: else all tables are registered at once, which is slow, and no progress is shown."""
    assert name in parameters(Scheduler.add_task)
    assert f"{name}=" in inspect.getsource(Worker)


def test_get_work() -> None:
    """`get_work`: without `task_id` in its reply no table is given out; a `worker` still names who requests."""
    reply = Scheduler().get_work(worker="w", host="h", current_tasks=[])
    assert reply["task_id"] is None


@pytest.mark.parametrize("name", ["prune", "count_pending"])
def test_prune_and_count_pending(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """`Scheduler.prune` and `count_pending`: if `get_work` no longer calls them, 5,000 tables take 80 s again."""
    calls: list[str] = []
    _noting(monkeypatch, name, calls)
    scheduler = Scheduler(prune_on_get_work=True)
    scheduler.get_work(worker="w", host="h", current_tasks=[])
    assert calls == [name]


def test_statuses() -> None:
    """`luigi.task_status`: with other values all tables are registered at once, and no progress is shown."""
    assert (task_status.PENDING, task_status.DONE, task_status.FAILED) == ("PENDING", "DONE", "FAILED")


def test_factory() -> None:
    """`worker_scheduler_factory` of `luigi.build`: if it calls other methods, no run begins."""
    source = inspect.getsource(interface)
    for method in ("create_local_scheduler(", "create_remote_scheduler(url=", "create_worker("):
        assert f"worker_scheduler_factory.{method}" in source


def test_configuration_classes() -> None:
    """`interface.core` and `worker.worker`: without them a broken luigi.cfg ends in a traceback during the run."""
    assert issubclass(interface.core, luigi.Config)
    assert issubclass(worker, luigi.Config)
