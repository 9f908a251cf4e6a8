"""JSON -> a frozen, checked batch; nothing else sees the raw manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import files, jsontext
from pipeline.entries import ScoreEntry, TableEntry
from pipeline.errors import BatchError, Faults, ManifestError, show
from pipeline.options import JoinOptions, JsonObject
from pipeline.schema import load_schema, place, schema_faults

REPORT_SUFFIX = ".report.json"


@dataclass(frozen=True)
class Batch:
    """One checked manifest and where its report goes.

    Attributes:
        manifest: path of the manifest.
        sha256: digest of the manifest's bytes.
        base_dir: folder that the manifest's paths are relative to.
        report_json: path of the report.
        report_md: path of the report as Markdown.
        tables: the tables, in the manifest's order.
    """

    manifest: Path
    sha256: str
    base_dir: Path
    report_json: Path
    report_md: Path
    tables: tuple[TableEntry, ...]

    def table(self, table_id: str) -> TableEntry:
        """The table of that id.

        :raises ManifestError: the batch has none.
        """
        for table in self.tables:
            if table.id == table_id:
                return table
        raise ManifestError(f"{self.manifest}: no table has the id {show(table_id)}")

    @property
    def state_dir(self) -> Path:
        """The hidden folder beside the report that holds the project's own records of the batch."""
        return self.report_json.with_name(f".{self.report_json.name}.state")


def failed_path(report: Path) -> Path:
    """The name under which a failed batch leaves a report: `m.report.failed.json` for `m.report.json`."""
    return report.with_name(f"{report.stem}.failed{report.suffix}")


def default_report(manifest: Path) -> Path:
    """Where the report goes unless told otherwise: `m.report.json` beside `m.json`."""
    return manifest.with_name(manifest.stem + REPORT_SUFFIX)


def load_manifest(
    manifest: str | Path,
    base_dir: str | Path | None = None,
    report_json: str | Path | None = None,
    report_md: str | Path | None = None,
) -> Batch:
    """Read and check a manifest; empty and None arguments take their defaults.

    :param base_dir: folder that relative paths resolve from. Default: the manifest's folder.
    :param report_json: where the report goes. Default: `<manifest stem>.report.json` beside the manifest.
    :param report_md: the same as Markdown. Default: `report_json` with the suffix `.md`.
    :raises ManifestError: with every fault of the manifest, each with its place.
    """
    path = Path(manifest)
    content = _read(path)
    report = Path(report_json or default_report(path))
    faults = Faults()
    raw = _parse(path, content)
    for fault in (*_repeated_keys(raw), *schema_faults(raw, load_schema("manifest"))):
        faults.add(fault)
    _raise_any(path, faults)
    base = Path(base_dir or path.parent)
    tables = tuple(_tables(raw, base))
    markdown = Path(report_md or report.with_suffix(".md"))
    batch = Batch(path, hashlib.sha256(content).hexdigest(), base, report, markdown, tables)
    for fault in _batch_faults(batch):
        faults.add(fault)
    _raise_any(path, faults)
    return batch


def _read(path: Path) -> bytes:
    try:
        return files.read_bytes(path)
    except BatchError as exc:
        raise ManifestError(f"{exc}; expected a manifest") from exc


def _parse(path: Path, content: bytes) -> Any:
    try:
        return jsontext.parse_leniently(content.removeprefix(files.BYTE_ORDER_MARK))
    except ValueError as exc:
        raise ManifestError(f"{path}: {exc}; expected a manifest, one JSON object") from exc


def _raise_any(path: Path, faults: Faults) -> None:
    if faults.count:
        count = "1 fault" if faults.count == 1 else f"{faults.count} faults"
        raise ManifestError(faults.message(f"{path}: {count} in the manifest; nothing was written"))


def _repeated_keys(value: object, steps: tuple[str | int, ...] = ()) -> Iterator[str]:
    if isinstance(value, jsontext.RepeatingObject):
        for name in value.repeated:
            yield f"{place((*steps, name))}: the key stands twice in one object; expected it once"
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _repeated_keys(below, (*steps, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _repeated_keys(below, (*steps, index))


def _tables(raw: JsonObject, base: Path) -> Iterator[TableEntry]:
    defaults = JoinOptions().with_overrides(raw.get("defaults", {}))
    for table in raw["tables"]:
        yield TableEntry(
            id=table["id"],
            features=table["features"],
            scores=tuple(ScoreEntry.of(entry, base) for entry in table["scores"]),
            out=table["out"],
            audit_json=table.get("audit_json"),
            options=defaults.with_overrides(table),
        )


def _batch_faults(batch: Batch) -> Iterator[str]:
    """What no schema can express: each table by itself, then the tables beside each other."""
    if not batch.base_dir.is_dir():
        yield f"base folder: found no folder at {show(str(batch.base_dir))}"
    ids: dict[str, int] = {}
    for index, table in enumerate(batch.tables):
        yield from (f"tables[{index}]{fault}" for fault in table.faults(batch.base_dir))
        if (first := ids.setdefault(table.id, index)) != index:
            yield f"tables[{index}].id: {show(table.id)} is also tables[{first}].id; expected unique ids"
    yield from _clashes(batch)


def _clashes(batch: Batch) -> Iterator[str]:
    """Outputs that are also something else: an input of any table, an output of another, the report."""
    read: dict[Path, str] = {}
    for index, table in enumerate(batch.tables):
        for field, path in table.inputs(batch.base_dir):
            read.setdefault(files.identity(path), f"tables[{index}].{field}")
            read.setdefault(path.resolve(), f"tables[{index}].{field}")
    written: dict[Path, tuple[int, str]] = {files.identity(batch.manifest): (-1, "the manifest")}
    for report in (batch.report_json, batch.report_md):
        for path in (report, failed_path(report)):
            name = files.identity(path)
            if name in read or name in written:
                other = read.get(name) or written[name][1]
                yield f"the report: {show(str(path))} is also {other}; expected a file of its own"
            written.setdefault(name, (-1, "the report"))
    for index, table in enumerate(batch.tables):
        for field, path in table.outputs(batch.base_dir):
            name = files.identity(path)
            reader = read.get(name, "")
            owner, other = written.setdefault(name, (index, f"tables[{index}].{field}"))
            # A clash within one table is a fault of that table, and told there.
            if owner != index or (reader and not reader.startswith(f"tables[{index}].")):
                other = other if owner != index else f"read, as {reader}"
                yield f"tables[{index}].{field}: {show(str(path))} is also {other}; expected a file of its own"
