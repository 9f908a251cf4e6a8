"""A batch: the checked manifest, and the paths of its report and records."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Faults, InputError, ManifestError, show
from ..storage import filenames, files, jsontext, locations, textfiles
from ..storage.jsontext import JsonObject
from ..storage.locations import Location, is_uri, located
from ..storage.objects import ObjectPath
from ..storage.schema import NO_VIOLATIONS, Violations, json_path, load_schema, violations
from .clashes import FileClaims
from .declarations import EvidenceRequest, declaration_faults, declarations
from .entries import FeaturesEntry, SidecarEntry, TableEntry
from .options import JoinOptions, text_faults

REPORT_SUFFIX = ".report.json"
_NEEDED = {"features", "scores", "out"}
_REQUIRED = {"id", *_NEEDED}
_PLAIN = {*_REQUIRED, "audit_json"}


@dataclass(frozen=True)
class Batch:
    """One checked manifest and the paths of its report.

    Attributes:
        manifest: path of the manifest.
        sha256: digest of the manifest's bytes.
        base_dir: folder that the manifest's paths are relative to.
        report_json: path of the report.
        report_md: path of the report as Markdown.
        tables: the tables, in the manifest's order.
    """

    manifest: Location
    sha256: str
    base_dir: Location
    report_json: Location
    report_md: Location
    tables: tuple[TableEntry, ...]

    def table(self, table_id: str) -> TableEntry:
        """The table of that id.

        :raises ManifestError: the batch has none.
        """
        return self.tables[self.position(table_id)]

    def position(self, table_id: str) -> int:
        """The position of the table of that id in the manifest, from 0.

        :raises ManifestError: the batch has none.
        """
        try:
            return self._positions[table_id]
        except KeyError:
            raise ManifestError(f"{self.manifest}: no table has the id {show(table_id)}") from None

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {table.id: index for index, table in enumerate(self.tables)}

    def relative(self, path: Location) -> str:
        """The path of a file of the batch as its report names it; links and the spelling of the base folder do not matter."""
        place = filenames.resolved(path.parent) / path.name
        return filenames.relative(place, filenames.resolved(self.base_dir))

    @property
    def stem(self) -> str:
        """The common start of the names of files beside the report: `m` for `m.report.json`."""
        name = self.report_json.name
        return name.removesuffix(REPORT_SUFFIX) if name.endswith(REPORT_SUFFIX) else self.report_json.stem

    @property
    def lock(self) -> Location:
        """The lock file of runs of the batch."""
        return self.report_json.with_name(f"{self.stem}.lock")

    @property
    def run_log(self) -> Location:
        """The path of the run log. No document cites it."""
        return self.report_json.with_name(f"{self.stem}.run-log.jsonl")

    @property
    def state_dir(self) -> Location:
        """The hidden folder beside the report that holds the project's own records of the batch."""
        return self.report_json.with_name(f".{self.report_json.name}.state")

    @property
    def scores_dir(self) -> Path:
        """The folder of prepared scores: in the state folder of a local batch, else one of this host's own."""
        folder = self.state_dir
        return folder / "prepared" if isinstance(folder, Path) else filenames.scratch_folder(str(folder))


def failed_path(report: Location) -> Location:
    """The path of the report of a failed batch: `m.report.failed.json` for `m.report.json`."""
    return report.with_name(f"{report.stem}.failed{report.suffix}")


def default_report(manifest: Location) -> Location:
    """The default path of the report: `m.report.json` beside `m.json`."""
    return manifest.with_name(manifest.stem + REPORT_SUFFIX)


def default_markdown(report: Location) -> Location:
    """The default path of the report as Markdown: `m.report.md` beside `m.report.json`."""
    return report.parent / f"{report.stem}.md"


def load_manifest(
    manifest: str | Location,
    base_dir: str | Location | None = None,
    report_json: str | Location | None = None,
    report_md: str | Location | None = None,
) -> Batch:
    """Read and check a manifest; empty and None arguments take their defaults.

    :param base_dir: folder that relative paths resolve from. Default: the manifest's folder.
    :param report_json: path of the report. Default: `<manifest stem>.report.json` beside the manifest.
    :param report_md: path of the report as Markdown. Default: `report_json` with the suffix `.md`.
    :raises ManifestError: with every fault of the manifest, each with its JSON path.
    """
    path = files.named(manifest, "a manifest", ManifestError)
    base = _folder(base_dir or path.parent)
    report = files.named(report_json or default_report(path), "the report", ManifestError)
    markdown = files.named(report_md or default_markdown(report), "the report", ManifestError)
    content = files.read_named(path, "a manifest", ManifestError)
    faults = Faults()
    raw = _parse(path, content)
    broken = _violations(raw)
    for fault in (*_repeated_keys(raw), *broken.faults):
        faults.add(fault)
    if not broken.complete:  # the parts beyond the last violation are unchecked
        _raise_any(path, faults, "at least ")
    parts = _Parts.of(raw, broken)
    with files.seen_once(parts.doubtful(base)):
        tables = tuple(parts.entries(base))
    batch = Batch(path, hashlib.sha256(content).hexdigest(), base, report, markdown, tables)
    for fault in _batch_faults(batch, parts):
        faults.add(fault)
    _raise_any(path, faults)
    return batch


def _folder(given: str | Location) -> Location:
    """:raises ManifestError: it is a URI that no folder of objects can have."""
    if is_uri(given) and (fault := filenames.folder_fault(str(given))) is not None:
        raise ManifestError(f"base folder: {fault}")
    return locations.given(given)


def _parse(path: Location, content: bytes) -> Any:
    try:
        raw = jsontext.parse_leniently(content.removeprefix(textfiles.BYTE_ORDER_MARK))
    except ValueError as exc:
        raise ManifestError(f"{path}: {exc}; expected a manifest, one JSON object") from exc
    return jsontext.without_comments(raw)


def _violations(raw: Any) -> Violations:
    """The violations of the manifest's schema. Plain tables have none: most manifests have many, and only those."""
    schema = load_schema("manifest")
    tables = raw.get("tables") if isinstance(raw, dict) else None
    if isinstance(tables, list) and tables:
        is_plain = _plain_tables(schema)
        others = [table for table in tables if not is_plain(table)]
        if not others and raw.keys() == {"tables"}:
            return NO_VIOLATIONS
        if not violations({**raw, "tables": others or tables[:1]}, schema).faults:
            return NO_VIOLATIONS
    return violations(raw, schema)


def _plain_tables(schema: JsonObject) -> Callable[[object], bool]:
    """Tells whether a table has an id and paths alone, each a text that the schema allows."""
    rule = schema["$defs"]["table"]["properties"]["id"]
    named, longest = re.compile(rule["pattern"]), rule["maxLength"]

    def is_plain(table: object) -> bool:
        if not isinstance(table, dict) or not _REQUIRED <= table.keys() <= _PLAIN:
            return False
        scores, name = table["scores"], table["id"]
        texts = [value for field, value in table.items() if field != "scores"]
        return (
            isinstance(scores, list)
            and bool(scores)
            and all(isinstance(text, str) and text for text in (*texts, *scores))
            and len(name) <= longest
            and named.search(name) is not None
        )

    return is_plain


def _raise_any(path: Location, faults: Faults, about: str = "") -> None:
    if faults.count:
        count = "1 fault" if faults.count == 1 else f"{faults.count} faults"
        raise ManifestError(faults.message(f"{path}: {about}{count} in the manifest; nothing was written"))


def _repeated_keys(value: object, steps: tuple[str | int, ...] = ()) -> Iterator[str]:
    if isinstance(value, jsontext.RepeatingObject):
        for name in value.repeated:
            yield f"{json_path((*steps, name))}: the key appears twice in one object; expected it once"
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _repeated_keys(below, (*steps, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _repeated_keys(below, (*steps, index))


@dataclass(frozen=True)
class _Parts:
    """The valid parts of a manifest, so that they can be checked further while others are invalid.

    Attributes:
        defaults: the default options, by name.
        scorers: the declarations, by label.
        tables: the tables, by index in the manifest.
    """

    defaults: JsonObject
    scorers: JsonObject
    tables: dict[int, JsonObject]

    @classmethod
    def of(cls, raw: Any, violations: Violations) -> _Parts:
        broken = violations.broken
        given = raw if isinstance(raw, dict) else {}
        defaults = {} if ("defaults",) in broken else given.get("defaults") or {}
        tables = [] if ("tables",) in broken else given.get("tables", [])
        sound = {index: _sound(("tables", index), table, broken) for index, table in enumerate(tables)}
        return cls(
            _sound(("defaults",), defaults, broken) or {},
            _sound(("scorers",), given.get("scorers", {}), broken) or {},
            {index: table for index, table in sound.items() if table is not None and table.keys() >= _NEEDED},
        )

    def doubtful(self, base: Location) -> Iterator[Location]:
        """The places of scores that are a path, or a label and a path: that depends on whether there is such a file."""
        for table in self.tables.values():
            yield from (
                located(base, entry) for entry in table["scores"] if isinstance(entry, str) and "=" in entry
            )

    def entries(self, base: Location) -> Iterator[TableEntry]:
        """The tables, each with its effective options."""
        defaults = JoinOptions().with_overrides(self.defaults)
        scorers = declarations(self.scorers)
        for table in self.tables.values():
            yield TableEntry(
                id=table.get("id", ""),
                features=FeaturesEntry.of(table["features"]),
                scores=tuple(SidecarEntry.of(entry, base) for entry in table["scores"]),
                out=table["out"],
                audit_json=table.get("audit_json") or None,
                options=defaults.with_overrides(table),
                scorers=scorers,
                evidence=EvidenceRequest.of(table["evidence"]) if table.get("evidence") else None,
                resources=tuple(sorted((table.get("resources") or {}).items())),
                out_format=table.get("out_format"),
            )


def _sound(
    at: tuple[str | int, ...], part: Any, broken: Collection[tuple[str | int, ...]]
) -> JsonObject | None:
    """The valid members of an object whose path in the manifest is `at`; None if it is not an object."""
    if not isinstance(part, dict):
        return None
    below = {steps[len(at)] for steps in broken if len(steps) > len(at) and steps[: len(at)] == at}
    return {name: value for name, value in part.items() if name not in below}


def _batch_faults(batch: Batch, parts: _Parts) -> Iterator[str]:
    """Checks beyond the schema: each table by itself, then the tables together."""
    yield from _scattered(batch)
    try:
        there = filenames.holds_folder(batch.base_dir) and filenames.is_name(
            batch.base_dir / batch.manifest.name
        )
        if not there:
            yield f"base folder: found no folder at {show(str(batch.base_dir))}"
    except InputError as exc:
        yield f"base folder: {exc}"
    unnamed = [path for path in (batch.report_json, batch.report_md) if not filenames.is_name(path)]
    yield from (f"the report: found {show(str(path))}; expected the name of a file" for path in unnamed)
    folders = [path for path in (batch.report_json, batch.report_md) if filenames.is_folder(path)]
    yield from (
        f"the report: found a folder at {show(str(path))}; expected a file or nothing" for path in folders
    )
    yield from (f"defaults.{fault}" for fault in text_faults(parts.defaults))
    yield from declaration_faults(parts.scorers)
    numbered = list(zip(parts.tables, batch.tables, strict=True))
    ids: dict[str, int] = {}
    for index, table in numbered:
        yield from (f"tables[{index}]{fault}" for fault in table.faults())
        yield from (f"tables[{index}].{fault}" for fault in text_faults(parts.tables[index]))
        if table.id and (first := ids.setdefault(table.id, index)) != index:
            yield f"tables[{index}].id: {show(table.id)} is also tables[{first}].id; expected unique ids"
    if not unnamed:
        yield from _clashes(batch, numbered)


def _scattered(batch: Batch) -> Iterator[str]:
    """Faults of a batch whose report could not name its manifest or its base folder in the same way on every host."""
    places = {
        "the base folder": batch.base_dir,
        "the report": batch.report_json,
        "the report (Markdown)": batch.report_md,
    }
    kept = _store(batch.manifest)
    for name, place in places.items():
        if _store(place) != kept:
            yield (
                f"{name}: found {show(str(place))}; expected a place in {kept or 'local folders'}, as the manifest is there; "
                "features, scores and outputs alone can be elsewhere"
            )


def _store(place: Location) -> str:
    """The bucket of a place; empty: it is local."""
    return place.root if isinstance(place, ObjectPath) else ""


def _clashes(batch: Batch, numbered: Sequence[tuple[int, TableEntry]]) -> Iterator[str]:
    """Faults of files with two uses among inputs, outputs, the manifest and the reports."""
    claims = FileClaims()
    claims.written(batch.manifest, "the manifest")
    for report, form in ((batch.report_json, "JSON"), (batch.report_md, "Markdown")):
        for path in (report, failed_path(report)):
            claims.written(path, f"the report {path.name} ({form})")
    claims.written(batch.run_log, "the run log")
    claims.written(batch.lock, "the lock")
    claims.kept(batch.state_dir, "the folder of the project's own records")
    for index, table in numbered:
        table.claim(claims, batch.base_dir, f"tables[{index}].")
    yield from claims.clashes()
