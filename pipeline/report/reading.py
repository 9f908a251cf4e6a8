"""A report as a file: its bytes, its digest, the document in it, the folder that its paths are relative to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import cast

from ..errors import InputError, UsageError, listing, show
from ..storage import files, jsontext, locations
from ..storage.jsontext import JsonObject
from ..storage.locations import Location, located
from ..storage.schema import load_schema, schema_faults
from .build import Report


@dataclass(frozen=True)
class ReportFile:
    """A report that was read.

    Attributes:
        path: the file.
        sha256: the digest of its bytes.
        document: the report.
        base: the folder that its paths are relative to.
    """

    path: Location
    sha256: str
    document: Report
    base: Location

    def citation_fault(self, sha256: str | None) -> str | None:
        """Why this is not the report that is cited as `sha256`; None: it is, or nothing is cited."""
        if sha256 is None or str(sha256).strip().lower() == self.sha256:
            return None
        return f"{self.path}: the report has sha256 {self.sha256}; expected {show(sha256)}, as it is cited"

    def status_fault(self) -> str | None:
        """Why the report cannot be relied on as it is; None: its batch is complete."""
        if self.document["status"] == "ok":
            return None
        return f"{self.path}: the report of a failed batch; expected that of a complete one"

    def check(self, sha256: str | None = None) -> None:
        """:raises InputError: this is not the report that is cited as `sha256`, or not that of a complete batch."""
        if fault := self.citation_fault(sha256) or self.status_fault():
            raise InputError(fault)


def read_report(report: str | Location, base_dir: str | Location | None = None) -> ReportFile:
    """Read a report.

    :param base_dir: folder that the report's paths are relative to. Default: where the report says, seen from itself.
    :raises UsageError: the file is not there, or is not a report of this project.
    """
    path = files.named(report, "a report", UsageError)
    content = files.read_named(path, "a report", UsageError)
    document = _parsed(path, content)
    folder = document["run_provenance"]["args"].get("base_dir_from_report", ".")
    base = locations.given(base_dir) if base_dir else located(path.parent, folder)
    return ReportFile(path, hashlib.sha256(content).hexdigest(), cast("Report", document), base)


def _parsed(path: Location, content: bytes) -> JsonObject:
    try:
        document: JsonObject = jsontext.parse(content)
    except ValueError as exc:
        raise UsageError(f"{path}: {exc}; expected a report") from exc
    if faults := list(schema_faults(document, load_schema("report"))):
        raise UsageError(listing(f"{path}: not a report of this project", faults))
    return document
