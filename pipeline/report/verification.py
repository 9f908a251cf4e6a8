"""Verification of the files that a report names; it always reads them all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BatchError, InputMissingError, UsageError, listing, one_line, show
from pipeline.storage import files, jsontext
from pipeline.storage.files import FileDescription
from pipeline.storage.jsontext import JsonObject
from pipeline.storage.schema import load_schema, schema_faults

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
    report: str | Path, *, sha256: str | None = None, base_dir: str | Path | None = None
) -> Verification:
    """Read every file that a report names again and compare it with the report's digest of it.

    It needs neither the manifest nor the records of the batch, so a copy of the batch's folder verifies too.

    :param sha256: the digest under which the report is cited; None: it is not checked.
    :param base_dir: folder that the report's paths are relative to. Default: as the report gives it, relative to itself.
    :raises UsageError: the file does not exist, or is not a report of this project.
    """
    path = Path(report)
    content = files.read_named(path, "a report", UsageError)
    document = _parsed(path, content)
    found = hashlib.sha256(content).hexdigest()
    faults = []
    if sha256 is not None and sha256.lower() != found:
        faults.append(f"{path}: the report has sha256 {found}; expected {show(sha256)}, as it is cited")
    if document["status"] != "ok":
        faults.append(f"{path}: the report of a failed batch; expected that of a complete one")
    provenance = document["run_provenance"]
    base = Path(base_dir or path.parent / provenance["args"].get("base_dir_from_report", "."))
    named = [
        (f"{kind}.{role}", described)
        for kind in ("inputs", "outputs")
        for role, described in provenance[kind].items()
    ]
    with ThreadPoolExecutor(_THREADS) as threads:
        differences = threads.map(lambda each: list(_differences(each[0], each[1], base)), named)
        faults += [fault for found_faults in differences for fault in found_faults]
    return Verification(found, len(named), tuple(map(one_line, faults)))


def _parsed(path: Path, content: bytes) -> JsonObject:
    try:
        document: JsonObject = jsontext.parse(content)
    except ValueError as exc:
        raise UsageError(f"{path}: {exc}; expected a report") from exc
    if faults := list(schema_faults(document, load_schema("report"))):
        raise UsageError(listing(f"{path}: not a report of this project", faults))
    return document


def _differences(role: str, described: FileDescription, base: Path) -> Iterator[str]:
    path = base / described["path"]
    try:
        if files.digest(path) != described.get("sha256"):
            yield f"{role}: {show(described['path'])} has changed since the report was written"
    except InputMissingError:
        yield f"{role}: {show(described['path'])} is missing"
    except BatchError as exc:
        yield f"{role}: {exc}"
