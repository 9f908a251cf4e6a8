"""What a task reads and writes, as OpenLineage datasets with what the records know of them.

A dataset is named by the scheme `file` and its absolute path, or by scheme and bucket and the object's name; a pattern
of files is one dataset. Source: https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import BatchError
from ..join.columns import APPENDED
from ..join.tables import FeatureTable, open_joined
from ..manifest.batch import Batch
from ..manifest.declarations import slug
from ..manifest.entries import FEATURES, SidecarEntry, TableEntry
from ..manifest.shards import Shard
from ..records.materialized import Coverage, Materialized
from ..records.receipts import Receipts
from ..storage import filenames, files, jsontext
from ..storage.formats import table_format
from ..storage.jsontext import JsonObject
from ..storage.locations import Location, located
from .events import Datasets, facet, to_json

MAX_SCANNED_BYTES = 1 << 24
"""The columns of a JSON table are known only when all of it was read, which is done up to this size."""

MAX_COLUMNS = 2000
"""Columns of a wider table are not described."""

_SCORE = "score"


def of_table(batch: Batch, table: str, done: bool) -> Datasets:
    """The inputs and outputs of a table.

    :param done: it was joined: with versions, rows and columns as far as they are known; False: by name only.
    """
    entry, base = batch.table(table), batch.base_dir
    built = Receipts(batch.state_dir).built(entry) if done else None
    if built is not None:
        return _of_joined(base, entry, built)
    inputs = [_dataset(located(base, path)) for _, path in _roles(entry)]
    return {"inputs": inputs, "outputs": [_dataset(path) for _, path in entry.outputs(base)]}


def of_parts(batch: Batch, table: str, shard: Shard | None, done: bool) -> Datasets:
    """The inputs of a part of a table in shards, and the joined file of a shard; None: the sidecars alone.

    :param done: it was made: with the version of the joined file.
    """
    entry, base = batch.table(table), batch.base_dir
    inputs = [located(base, each.path) for each in entry.scores]
    if shard is None:
        return {"inputs": [_dataset(path) for path in inputs], "outputs": []}
    of_shard = entry.of_shard(shard)
    outputs = [joined(batch, of_shard) if done else _dataset(located(base, shard.out))]
    return {
        "inputs": [_dataset(path) for path in (located(base, shard.features), *inputs)],
        "outputs": outputs,
    }


def of_report(batch: Batch, done: bool) -> Datasets:
    """The joined tables and both forms of the report.

    :param done: it was written: with versions; False: by name only.
    """
    tables = [
        joined(batch, entry) if done else _dataset(located(batch.base_dir, entry.target))
        for entry in batch.tables
    ]
    return {"inputs": tables, "outputs": of_files([batch.report_json, batch.report_md], done)}


def joined(batch: Batch, entry: TableEntry) -> JsonObject:
    """A joined table, with its version if that is known."""
    built = Receipts(batch.state_dir).built(entry)
    return _dataset(
        located(batch.base_dir, entry.target),
        None if built is None else _version(built.outputs["out"]["sha256"]),
    )


def of_files(paths: Iterable[Location], done: bool) -> list[JsonObject]:
    """Small files, which are read if they are `done`: their digests are their versions."""
    return [_dataset(path, _version(files.digest(path)) if done else None) for path in paths]


def _of_joined(base: Location, entry: TableEntry, built: Materialized) -> Datasets:
    inputs = [_input(located(base, path), role, built) for role, path in _roles(entry)]
    outputs = [_output(path, role, built) for role, path in entry.outputs(base)]
    if not entry.is_sharded:
        outputs[0]["facets"] |= _columns(base, entry, built)
    return {"inputs": inputs, "outputs": outputs}


def _roles(entry: TableEntry) -> list[tuple[str, str]]:
    """The inputs as the manifest names them, each with its role; a pattern is one dataset."""
    return [
        (FEATURES, entry.features.path),
        *((f"scores[{index}]", each.path) for index, each in enumerate(entry.scores)),
    ]


def _input(path: Location, role: str, built: Materialized) -> JsonObject:
    from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics

    known = [name for name in built.inputs if name == role or name.startswith(f"{role}/")]
    rows = built.summary["input_rows"] if role == FEATURES else None
    size = sum(_size(built, name) or 0 for name in known)
    counts = facet(statistics.InputStatisticsInputDatasetFacet, rows, size, len(known))
    return _dataset(path, _version(_together(built, known))) | {
        "inputFacets": {"inputStatistics": to_json(counts)}
    }


def _together(built: Materialized, roles: list[str]) -> str:
    """The sha256 of a file; of several files, the sha256 over the object of their digests by role."""
    digests = {role: built.inputs[role]["sha256"] for role in roles}
    if len(digests) == 1:
        return next(iter(digests.values()))
    return hashlib.sha256(jsontext.canonical(digests)).hexdigest()


def _output(path: Location, role: str, built: Materialized) -> JsonObject:
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    rows = built.summary["output_rows"] if role == "out" else None
    counts = facet(statistics.OutputStatisticsOutputDatasetFacet, rows, _size(built, role), 1)
    return _dataset(path, _version(built.outputs[role]["sha256"])) | {
        "outputFacets": {"outputStatistics": to_json(counts)}
    }


def _columns(base: Location, entry: TableEntry, built: Materialized) -> JsonObject:
    """The facets of a joined table that are about its columns; none if reading them would take long."""
    from openlineage.client.facet_v2 import (
        column_lineage_dataset,
        data_quality_metrics_dataset,
        schema_dataset,
    )

    path = located(base, entry.out)
    if table_format(path.name) in ("json", "jsonl") and files.signature(path).size > MAX_SCANNED_BYTES:
        return {}
    with contextlib.suppress(BatchError):
        table = open_joined(path, entry.options.feature_key)
        if len(table.columns) > MAX_COLUMNS:
            return {}
        names = {each: filenames.address(located(base, each)) for _, each in _roles(entry)}
        typed = _types(table, built)
        fields = [schema_dataset.SchemaDatasetFacetFields(name, typed.get(name)) for name in table.columns]
        metrics = {
            name: data_quality_metrics_dataset.ColumnMetrics(nullCount=nulls)
            for name, nulls in (table.null_counts() or _known_nulls(built)).items()
        }
        quality = facet(
            data_quality_metrics_dataset.DataQualityMetricsDatasetFacet, metrics, built.summary["output_rows"]
        )
        lineage = facet(
            column_lineage_dataset.ColumnLineageDatasetFacet,
            _origins(names, entry, built, table.columns),
            [_field(names[entry.features.path], name, "INDIRECT", "JOIN") for name in table.key_columns],
        )
        return {
            "schema": to_json(facet(schema_dataset.SchemaDatasetFacet, fields)),
            "columnLineage": to_json(lineage),
            "dataQualityMetrics": to_json(quality),
        }
    return {}


def _types(table: FeatureTable, built: Materialized) -> dict[str, str]:
    """Types of columns by name: all of a Parquet table, otherwise of the appended columns only."""
    if table_format(table.path.name) == "parquet":
        return {field.name: str(field.type) for field in table.schema()}
    return {name: str(APPENDED.field(suffix).type) for name, (suffix, _) in _appended(built).items()}


def _known_nulls(built: Materialized) -> dict[str, int]:
    """Nulls of appended columns as far as the coverage tells: each row has a status, only a missing row has no score."""
    summary = built.summary
    known = {}
    for name, (suffix, covered) in _appended(built).items():
        if suffix == "status":
            known[name] = 0
        elif suffix == _SCORE and not covered["bad_rows"] and summary["output_rows"] == summary["input_rows"]:
            known[name] = covered["missing_rows"]
    return known


def _appended(built: Materialized) -> dict[str, tuple[str, Coverage]]:
    """The appended columns by name: what each holds, and the coverage of its scorer."""
    scorers = built.summary["competitors"].values()
    return {f"{each['column_prefix']}_{name}": (name, each) for each in scorers for name in APPENDED.names}


def _origins(
    names: Mapping[str, tuple[str, str]], entry: TableEntry, built: Materialized, columns: Iterable[str]
) -> dict[str, Any]:
    """Where each column comes from: an appended one from its sidecars' fields, any other from the feature table.

    :param names: the datasets' namespaces and names of the inputs by their paths.
    """
    from openlineage.client.facet_v2 import column_lineage_dataset

    appended = _appended(built)
    found = {}
    for name in columns:
        if name in appended:
            suffix, covered = appended[name]
            if suffix == "source":  # the sidecar's path, which no field holds
                continue
            origin = [
                _field(names[sidecar.path], field, "DIRECT", "IDENTITY")
                for sidecar, field in _fields(entry, suffix, covered)
            ]
        else:
            origin = [_field(names[entry.features.path], name, "DIRECT", "IDENTITY")]
        found[name] = column_lineage_dataset.Fields(origin)
    return found


def _fields(entry: TableEntry, suffix: str, covered: Coverage) -> Iterator[tuple[SidecarEntry, str]]:
    """The sidecars of a scorer, each with the field of the column; if no label names the scorer, all sidecars.

    A field that the manifest does not set has the column's own name.
    """
    wanted = slug(covered["competitor"])
    by_label: list[tuple[SidecarEntry, str]] = []
    for sidecar in entry.scores:
        aspects = sidecar.score_fields or (
            (None, sidecar.score_field or entry.options.score_field or _SCORE),
        )
        for aspect, field in aspects:
            label = sidecar.label if aspect is None else f"{sidecar.label}-{aspect}"
            if label and slug(label) == wanted:
                by_label.append((sidecar, field if suffix == _SCORE else suffix))
    field = (entry.options.score_field or _SCORE) if suffix == _SCORE else suffix
    yield from by_label or [(sidecar, field) for sidecar in entry.scores]


def _field(dataset: tuple[str, str], field: str, kind: str, subtype: str) -> Any:
    from openlineage.client.facet_v2 import column_lineage_dataset

    transformation = column_lineage_dataset.Transformation(kind, subtype)
    return column_lineage_dataset.InputField(*dataset, field, [transformation])


def _dataset(path: Location, facets: JsonObject | None = None) -> JsonObject:
    namespace, name = filenames.address(path)
    return {"namespace": namespace, "name": name, "facets": facets or {}}


def _version(sha256: str) -> JsonObject:
    from openlineage.client.facet_v2 import dataset_version_dataset

    return {"version": to_json(facet(dataset_version_dataset.DatasetVersionDatasetFacet, sha256))}


def _size(built: Materialized, role: str) -> int | None:
    taken = built.snapshot(role)
    return None if taken is None else taken.signature.size
