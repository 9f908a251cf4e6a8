"""What a log shows of a run while it goes on."""

from __future__ import annotations

import io

from rich.console import Console

from pipeline.cli.console import progress


class Closed(io.StringIO):
    """A log that nobody reads any more."""

    def write(self, _: str) -> int:
        """Fail as a pipe does whose reader has gone."""
        raise BrokenPipeError


def test_a_line_per_table() -> None:
    """Each table that ends is a line of its own, as long as it may be; brackets in it are no markup."""
    log, name = io.StringIO(), "t" * 200
    with progress(Console(file=log), 2) as watch:
        watch(name, True)
        watch("[b]", False)
    assert log.getvalue() == f"{name}: complete (1 of 2)\n[b]: not complete (2 of 2)\n"


def test_a_log_that_nobody_reads() -> None:
    """That the reader of the log has gone is no reason to stop the run."""
    with progress(Console(file=Closed()), 1) as watch:
        watch("a", True)
