"""Every error the project raises on purpose.

::

    SecondOpinionError            exit code
    ├── UsageError                2  the command's arguments cannot be used
    ├── ManifestError             2  the manifest cannot be used; nothing was written
    └── BatchError                1  a table or the report could not be built
        ├── InputMissingError     3  an input is not there yet
        ├── InputError            1  an input is there and cannot be read as what it claims to be
        │   ├── TableError        1  a feature table
        │   └── SidecarError      1  a sidecar
        ├── JoinError             1  sound inputs that must not be joined like this
        ├── OutputError           1  an output cannot be written
        ├── EvidenceError         1  the evidence cannot be given, or a score is the label
        ├── SkippedError          1  a table that was not tried, as another one had failed
        ├── SchedulerError        1  the central scheduler does not answer
        └── BatchBusyError        4  another run holds the batch

A message says where, what was found, what was expected and what to do. It is the only argument of an
error, so errors cross process borders whole. The command line turns an error into its exit code in one
place, `pipeline.cli.main.main`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

MAX_FAULTS_SHOWN = 10
MAX_VALUE_SHOWN = 200


class SecondOpinionError(Exception):
    """Base of every error a user can cause; `exit_code` is what the command ends with."""

    exit_code = 1


class UsageError(SecondOpinionError):
    """The arguments of a command contradict each other or name nothing usable."""

    exit_code = 2


class ManifestError(SecondOpinionError):
    """A manifest with at least one fault; nothing is written for it."""

    exit_code = 2


class BatchError(SecondOpinionError):
    """A table or the report could not be built."""


class InputMissingError(BatchError):
    """A file that the table needs is not there yet; the table waits for it."""

    exit_code = 3


class InputError(BatchError):
    """An input is there and cannot be read as what it claims to be."""


class TableError(InputError):
    """A feature table that cannot be read, or not written in the requested format."""


class SidecarError(InputError):
    """A sidecar with at least one faulty row; its table writes nothing."""


class JoinError(BatchError):
    """Sound inputs whose join would be wrong or is refused by the table's options."""


class OutputError(BatchError):
    """An output cannot be written; the previous file is unchanged."""


class EvidenceError(BatchError):
    """A joined table lacks a column that its evidence needs, or a score in it leaks the label."""


class SkippedError(BatchError):
    """The table was not tried, as another one had failed and the run was to stop early."""


class SchedulerError(BatchError):
    """The central scheduler (luigid) cannot be reached, or no longer answers."""


class BatchBusyError(BatchError):
    """Another run holds the batch."""

    exit_code = 4


def exit_code(statuses: Iterable[str]) -> int:
    """The exit code for a batch whose tables have these statuses.

    0: all are `ok`; 3: nothing failed, but a table is `waiting`; 1: any other status.
    """
    found = set(statuses)
    if found == {"ok"}:
        return 0
    return InputMissingError.exit_code if found <= {"ok", "waiting"} else BatchError.exit_code


def show(value: object) -> str:
    """`value` as a message quotes it: on one line, control characters escaped, long values cut."""
    if isinstance(value, str):
        value = value[: MAX_VALUE_SHOWN + 1]  # no more of a long one is read than is shown
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= MAX_VALUE_SHOWN else text[: MAX_VALUE_SHOWN - 1] + "…"


def count(number: int, noun: str) -> str:
    """`number` things: `1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """`text` without anything that a terminal would obey; line ends stay."""
    return "\n".join(map(one_line, text.split("\n")))


def one_line(text: str) -> str:
    """`text` without anything that a terminal would obey, line ends among it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def listing(headline: str, faults: Iterable[str]) -> str:
    """`headline` and the first ten of `faults`, one a line, with the number of those left out."""
    lines = list(faults)
    shown = [f"  - {line}" for line in lines[:MAX_FAULTS_SHOWN]]
    if len(lines) > MAX_FAULTS_SHOWN:
        shown.append(f"  ... and {len(lines) - MAX_FAULTS_SHOWN} more")
    return "\n".join([headline, *shown])


class Faults:
    """The faults of one input, counted all and kept as far as they are shown."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[str] = []

    def add(self, fault: str | Callable[[], str]) -> None:
        """Count a fault; its text, which a callable makes when it is needed, is kept while it would be shown."""
        self.count += 1
        if len(self._kept) < MAX_FAULTS_SHOWN:
            self._kept.append(fault if isinstance(fault, str) else fault())

    def message(self, headline: str) -> str:
        """The faults under `headline`, the first ten in full."""
        text = listing(headline, self._kept)
        left_out = self.count - len(self._kept)
        return f"{text}\n  ... and {left_out} more" if left_out else text
