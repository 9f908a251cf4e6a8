"""Verification of the files that a report names; it always reads them all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from ..errors import BatchError, InputMissingError, one_line, show
from ..storage import files
from ..storage.files import FileDescription
from ..storage.locations import Location, located
from .reading import read_report

_KINDS: tuple[Literal["inputs", "outputs"], ...] = ("inputs", "outputs")
_THREADS = 4  # hashing frees the interpreter's lock


@dataclass(frozen=True)
class Verification:
    """The result of verifying a report and its files.

    Attributes:
        sha256: digest of the report's bytes.
        files: number of files that the report names.
        faults: the differences from the report; empty: there are none.
    """

    sha256: str
    files: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True if the report can be relied on."""
        return not self.faults


def verify(
    report: str | Location, *, sha256: str | None = None, base_dir: str | Location | None = None
) -> Verification:
    """Read every file that a report names again and compare it with the report's digest of it.

    It needs neither the manifest nor the records of the batch, so a copy of the batch's folder verifies too.

    :param sha256: the digest under which the report is cited; None: it is not checked.
    :param base_dir: folder that the report's paths are relative to. Default: as the report gives it, relative to itself.
    :raises UsageError: the file does not exist, or is not a report of this project.
    """
    read = read_report(report, base_dir)
    faults = [fault for fault in (read.citation_fault(sha256), read.status_fault()) if fault is not None]
    named = [
        (f"{kind}.{role}", described)
        for kind in _KINDS
        for role, described in read.document["run_provenance"][kind].items()
    ]
    with ThreadPoolExecutor(_THREADS) as threads:
        differences = threads.map(lambda each: list(_differences(each[0], each[1], read.base)), named)
        faults += [fault for found_faults in differences for fault in found_faults]
    return Verification(read.sha256, len(named), tuple(map(one_line, faults)))


def _differences(role: str, described: FileDescription, base: Location) -> Iterator[str]:
    path = located(base, described["path"])
    try:
        if files.digest(path) != described.get("sha256"):
            yield f"{role}: {show(described['path'])} has changed since the report was written"
    except InputMissingError:
        yield f"{role}: {show(described['path'])} is missing"
    except BatchError as exc:
        yield f"{role}: {exc}"
