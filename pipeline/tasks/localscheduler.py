"""Luigi's scheduler in this process, which hears of a table no sooner than it could give it out.

Each time it is asked for work, Luigi's scheduler walks the whole graph to prune it, counts all tasks that are
pending or have failed, and sorts them. Told of all tables at once, it takes 1.5 s to give out 1,000 of them and
82 s for 5,000; told of them one at a time, 0.05 s and 0.25 s. Which task runs, what must be done before it, what
has failed and is tried again remains Luigi's to decide.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from typing import Any

from luigi.scheduler import Scheduler
from luigi.task_status import PENDING

LOOK_AGAIN_SECONDS = 1.0
"""How old a look at all tasks may be."""


class LocalScheduler(Scheduler):
    """Luigi's scheduler for one worker, over a graph in which nothing outranks what it needs.

    It is spoken to as Luigi's own is. Would Luigi speak to it in another way, it would hear of all tasks at once.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # luigi's constructors have no annotations
            prune_on_get_work=True, record_task_history=False, **settings
        )
        self._untold: list[tuple[float, int, dict[str, Any]]] = []
        self._number = itertools.count()
        self._prune_at = self._count_at = -math.inf
        self._counted: dict[str, Any] = {}

    def add_task(self, *args: Any, **task: Any) -> Any:
        """Hear what has become of a task; of one that is to run, not before all of a higher rank were given out."""
        if args or task.get("status") != PENDING or not task.get("runnable"):
            return super().add_task(*args, **task)
        heapq.heappush(self._untold, (-task.get("priority", 0), next(self._number), task))
        return None

    def get_work(self, *args: Any, **request: Any) -> Any:
        """The task to run next, as Luigi chooses."""
        self._hear()
        while (reply := super().get_work(*args, **request))["task_id"] is None and self._untold:
            self._hear()  # what it has heard of waits for a task that is not made yet
        return reply

    def prune(self) -> None:
        """Give up and take up again what Luigi would, but not at every request."""
        if time.monotonic() >= self._prune_at:
            super().prune()
            self._prune_at = time.monotonic() + LOOK_AGAIN_SECONDS

    def count_pending(self, worker: str) -> dict[str, Any]:
        """How many tasks wait, for Luigi's messages: of those it has heard of, and it may be a second old."""
        if time.monotonic() >= self._count_at:
            self._counted = super().count_pending(worker)
            self._count_at = time.monotonic() + LOOK_AGAIN_SECONDS
        return dict(self._counted)

    def _hear(self) -> None:
        """Take in the task that Luigi would rank first of those not heard of."""
        if self._untold:
            super().add_task(**heapq.heappop(self._untold)[-1])
