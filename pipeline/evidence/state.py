"""Whether the evidence of a batch is up to date with its tables and its manifest; the results that it is built from.

A part is the audit, the impact or the learning curve of one table, or the transfer from one table to another. It is up to
date while its identity is the same: the digests of its tables, their declarations, and the versions of the libraries.
Learning curves and transfers are parts of the impact in full: it holds them if they are requested, and also if they are
not and each is up to date. So an impact in full answers a request for less, and stays until a table changes. A document is up to date if it was written from the current parts
and report, and its files are unchanged. The page is up to date if it shows the current documents.

Results are kept in one file per table and kind, beside the project's other records. The files may be deleted: at worst
the results are computed again.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Literal, TypeAlias

from ..errors import BatchError, UsageError, listing
from ..manifest.batch import Batch, failed_path
from ..manifest.clashes import FileClaims
from ..manifest.entries import TableEntry
from ..manifest.families import PACKAGED
from ..records.materialized import Materialized
from ..records.versions import code_sha256
from ..report.freshness import BatchCheck
from ..storage import files, jsontext, writing
from ..storage.jsontext import JsonObject
from ..storage.locations import Location

Kind: TypeAlias = Literal["audit", "impact"]
KINDS: tuple[Kind, ...] = ("audit", "impact")
PartKind: TypeAlias = Literal["audit", "impact", "learning", "transfer"]
Part: TypeAlias = tuple[PartKind, tuple[TableEntry, ...]]
"""A kind, and its table; for a transfer the table that is trained on and the one that is tested."""
DocumentName: TypeAlias = Literal["audit", "impact", "page"]
DOCUMENTS: tuple[DocumentName, ...] = ("audit", "impact", "page")

EVIDENCE_VERSION = 5
"""Increase it when equal tables give other figures."""

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "matplotlib", "jinja2")


@dataclass(frozen=True)
class Result:
    """What was computed for one identity, or why that failed.

    Attributes:
        identity: digest of all that the result depends on.
        body: what was computed; None: it failed.
        error: why it failed; None: it did not.
    """

    identity: str
    body: JsonObject | None
    error: str | None = None


class _Results:
    """The results of one batch in a folder of its state folder."""

    def __init__(self, state_dir: Location) -> None:
        self._folder = state_dir / "evidence"

    def result(self, name: str, identity: str) -> Result | None:
        """The result of that name and identity; None: there is none, or its file is not whole."""
        try:
            held = jsontext.parse(files.read_bytes(self.path(name)))
            found = Result(**held["result"])
            whole = held["sha256"] == _result_digest(found)
        except (BatchError, ValueError, TypeError, KeyError):
            return None
        return found if whole and found.identity == identity else None

    def record(self, name: str, result: Result) -> None:
        """Replace the result of that name.

        :raises OutputError: it cannot be written.
        """
        held = {"result": vars(result), "sha256": _result_digest(result)}
        writing.write_whole(self.path(name), jsontext.canonical(held))

    def path(self, name: str) -> Location:
        """The file of the result of that name."""
        return self._folder / f"{name}.json"


class EvidenceState:
    """The state of the evidence of a batch; each property is worked out when it is first used.

    :param full: whether learning curves and transfers are requested.
    """

    def __init__(self, batch: Batch, families: Location | None = None, *, full: bool = False) -> None:
        self.batch = batch
        self.families = families
        self.full = full
        self._results = _Results(batch.state_dir)

    @functools.cached_property
    def check(self) -> BatchCheck:
        """The check of the batch itself."""
        return BatchCheck(self.batch)

    def tables(self, kind: Kind) -> list[TableEntry]:
        """The tables that have a part of that kind: for the impact, those with a label."""
        return [entry for entry in self.batch.tables if kind == "audit" or entry.evidence is not None]

    def joined(self, entry: TableEntry) -> Materialized | None:
        """The record of a joined table; None: the table is not complete."""
        table = self.check.tables[self.batch.position(entry.id)]
        return table.built if table.complete else None

    def parts(self, kind: Kind) -> list[Part]:
        """The parts that a document is built from, those of its kind first."""
        own: list[Part] = [(kind, (entry,)) for entry in self.tables(kind)]
        return own + self.full_parts() if kind == "impact" and self.is_full else own

    def full_parts(self) -> list[Part]:
        """The learning curve of every table with a label, and the transfer between every two of them, both ways."""
        labelled = self.tables("impact")
        curves: list[Part] = [("learning", (entry,)) for entry in labelled]
        return curves + [("transfer", pair) for pair in itertools.permutations(labelled, 2)]

    @functools.cached_property
    def is_full(self) -> bool:
        """Whether the impact is in full: that is requested, or all its parts are up to date from an earlier request."""
        return self.full or all(self.has_part(kind, *entries) for kind, entries in self.full_parts())

    def has_part(self, kind: PartKind, *entries: TableEntry) -> bool:
        """Whether the part of these tables was computed, and is up to date."""
        part = self.part(kind, *entries)
        return part is not None and part.body is not None

    def part_path(self, kind: PartKind, *entries: TableEntry) -> Location:
        """The file of a result."""
        return self._results.path(_part(kind, entries))

    def part(self, kind: PartKind, *entries: TableEntry) -> Result | None:
        """The result for tables as they are now; None: there is none."""
        identity = self.identity(kind, *entries)
        return None if identity is None else self._results.result(_part(kind, entries), identity)

    def record_part(self, kind: PartKind, result: Result, *entries: TableEntry) -> None:
        """Keep the result for tables.

        :raises OutputError: it cannot be written.
        """
        self._results.record(_part(kind, entries), result)

    def identity(self, kind: PartKind, *entries: TableEntry) -> str | None:
        """A digest of all that a part depends on; None: a table is not complete."""
        tables = [self._depends(entry) for entry in entries]
        if None in tables:
            return None
        depends = {
            "kind": kind,
            "version": EVIDENCE_VERSION,
            "libraries": library_versions(),
            "tables": tables,
        }
        return _digest_of(depends | ({"families": self.families_sha256} if kind == "audit" else {}))

    def _depends(self, entry: TableEntry) -> JsonObject | None:
        """What a part depends on of one of its tables; None: the table is not complete."""
        joined = self.joined(entry)
        if joined is None:
            return None
        return {
            "id": entry.id,
            "entry": entry.as_json(),
            "joined": joined.outputs["out"]["sha256"],
            "evidence": entry.evidence and entry.evidence.as_json(),
            "scorers": [vars(each) for each in entry.scorers],
        }

    @functools.cached_property
    def families_sha256(self) -> str:
        """The digest of the file of families.

        :raises UsageError: it cannot be read.
        """
        try:
            return files.digest(self.families or PACKAGED)
        except BatchError as exc:
            raise UsageError(f"{exc}; expected a file of families of signals") from exc

    def document_identity(self, kind: Kind) -> str | None:
        """A digest of all that a document depends on; None: the report or a part is not up to date."""
        if not self.check.complete:
            return None
        parts = [self.part(each, *entries) for each, entries in self.parts(kind)]
        if any(part is None or part.body is None for part in parts):
            return None
        depends = {
            "report": self.check.sha256,
            "parts": [part.identity for part in parts if part is not None],
            "code": code_sha256(),
        }
        if kind == "audit":
            return _digest_of(depends)
        audit = self.document_identity("audit")
        return None if audit is None else _digest_of(depends | {"audit": audit})

    def page_identity(self) -> str | None:
        """A digest of what the page shows: the documents that are up to date; None: there is no audit to show."""
        shown = {kind: self.document_identity(kind) for kind in KINDS if self.document_is_current(kind)}
        return _digest_of({"shown": shown, "code": code_sha256()}) if "audit" in shown else None

    def document_is_current(self, kind: Kind) -> bool:
        """Whether a document is up to date."""
        return self._is_current(kind, self.document_identity(kind))

    def complete(self, kind: Kind) -> bool:
        """Whether the document, the documents that it is built from, and the page are up to date."""
        needed: Sequence[Kind] = ("audit",) if kind == "audit" else ("audit", "impact")
        return all(map(self.document_is_current, needed)) and self._is_current("page", self.page_identity())

    def write(self, name: DocumentName, identity: str, contents: Sequence[bytes]) -> None:
        """Write the files of a document, all or none, and remember what they hold.

        :raises OutputError: one of them cannot be written.
        """
        paths = document_paths(self.batch, name)
        written = writing.write_together(dict(zip(paths, contents, strict=True)))
        digests = {each.path.name: each.sha256 for each in written}
        self._results.record(_document(name), Result(identity, digests))

    def _is_current(self, name: DocumentName, identity: str | None) -> bool:
        if identity is None:
            return False
        written = self._results.result(_document(name), identity)
        if written is None or written.body is None:
            return False
        try:
            return all(
                files.digest(path) == written.body.get(path.name) for path in document_paths(self.batch, name)
            )
        except BatchError:
            return False


def document_paths(batch: Batch, name: DocumentName) -> list[Location]:
    """The files of a document of a batch: `m.audit.json` and `m.audit.md` beside `m.report.json`; the page is `m.html`."""
    if name == "page":
        return [batch.report_json.with_name(f"{batch.stem}.html")]
    return [batch.report_json.with_name(f"{batch.stem}.{name}{suffix}") for suffix in (".json", ".md")]


def failed_paths(batch: Batch, kind: Kind) -> list[Location]:
    """Where the known parts of a document go if it cannot be completed: `m.audit.failed.json`, `m.audit.failed.md`."""
    return [failed_path(path) for path in document_paths(batch, kind)]


def check_paths(batch: Batch) -> None:
    """:raises UsageError: a file of the evidence would be an input, an output or a report of the batch as well."""
    claims = FileClaims()
    for path, what in (
        (batch.manifest, "the manifest"),
        (batch.report_json, "the report"),
        (batch.report_md, "the report (Markdown)"),
    ):
        claims.written(path, what)
    for index, entry in enumerate(batch.tables):
        entry.claim(claims, batch.base_dir, f"tables[{index}].")
    for name in ("audit", "impact", "page"):
        for path in document_paths(batch, name):
            claims.written(path, f"the evidence {path.name}")
    if clashes := [*claims.clashes()]:
        raise UsageError(
            listing(
                f"{batch.manifest}: an evidence file would overwrite another file of the batch; rename one of the two",
                clashes,
            )
        )


def _part(kind: PartKind, entries: tuple[TableEntry, ...]) -> str:
    """Its name; that of a transfer is in a folder of the table that is trained on, since two names may be too long."""
    return f"{kind}-{'/'.join(entry.id for entry in entries)}"


def _document(name: DocumentName) -> str:
    return f"document-{name}"  # no part is named like this


def library_versions() -> dict[str, str]:
    """The versions of what figures are worked out and drawn with.

    :raises UsageError: a library of the extra is not installed.
    """
    try:
        return {name: _version(name) for name in _LIBRARIES}
    except metadata.PackageNotFoundError as exc:
        raise UsageError(
            f"evidence needs {exc.name}, which is not installed; pip install 'second-opinion[evidence]'"
        ) from exc


@functools.cache
def _version(library: str) -> str:
    return metadata.version(library)


def _digest_of(value: object) -> str:
    """The sha256 of a JSON value, however it is written down."""
    return hashlib.sha256(jsontext.canonical(value)).hexdigest()


def _result_digest(result: Result) -> str:
    return _digest_of(vars(result))
