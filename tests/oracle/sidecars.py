"""The files of a sidecar, and the rows in them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.oracle import faults
from tests.oracle.faults import Fault, RefusedError, RowFaultError
from tests.oracle.scores import Score, competitor, scores_of

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv"}
BROKEN = object()
"""Stands for a row that cannot be read."""


def as_object(given: str | Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """An entry of `scores` as an object."""
    if not isinstance(given, str):
        return dict(given)
    if "=" not in given or (folder / given).is_file():
        return {"path": given}
    label, path = given.split("=", 1)
    return {"label": label, "path": path}


def format_of(name: str, given: str | None = None) -> str | None:
    """The format of a text file by its name, or the given one."""
    return given or FORMATS.get(Path(name.removesuffix(".gz")).suffix)


def read_sidecar(entry: Mapping[str, Any], folder: Path, options: Mapping[str, Any]) -> list[Score]:
    """All scores of a sidecar in the order of its files and rows.

    :raises RefusedError: a file is not there, or it has faulty rows.
    """
    path = entry["path"]
    names = [path]
    if "*" in path:
        names = sorted(each.relative_to(folder).as_posix() for each in folder.glob(path) if each.is_file())
    if not names or not all((folder / name).is_file() for name in names):
        raise RefusedError(Fault("InputMissingError"))
    scores: list[Score] = []
    faulty = 0
    for name in names:
        for row in rows_of(folder / name, format_of(name, entry.get("format"))):
            if not isinstance(row, dict):
                faulty += 1
                continue
            try:
                scores += scores_of(row, entry, options, name)
            except RowFaultError:
                faulty += 1
    if faulty:
        raise RefusedError(Fault("SidecarError", f"{path}: {faults.rows(faulty)} in the sidecar"))
    if not scores and entry.get("label") is None:
        raise RefusedError(Fault("SidecarError", "found no row"))
    return scores


def labels_of(entry: Mapping[str, Any]) -> list[str]:
    """The scorers that an entry names by itself."""
    label = entry.get("label")
    if label is None:
        return []
    return [f"{label}-{aspect}" for aspect in entry.get("score_fields") or ()] or [label]


def content_of(path: Path) -> str:
    """The text of a file, unpacked."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def rows_of(path: Path, form: str | None) -> Iterator[Any]:
    """Every row of a file; what is no object stands for itself."""
    text = content_of(path)
    if form == "jsonl":
        for line in text.split("\n"):
            if line.strip():
                yield parsed(line)
    elif form == "json":
        yield from documents(text)
    else:
        yield from records(text, "\t" if form == "tsv" else ",")


def parsed(text: str) -> Any:
    """A JSON value, or BROKEN."""
    try:
        return json.loads(text, object_pairs_hook=unrepeated)
    except ValueError:
        return BROKEN


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; :raises ValueError: it holds a key twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def documents(text: str) -> Iterator[Any]:
    """The rows of JSON values one after another: objects, lists of them, or objects around such a list."""
    decoder = json.JSONDecoder(object_pairs_hook=unrepeated)
    text = text.strip()
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except ValueError as exc:
            raise RefusedError(Fault("SidecarError")) from exc
        text = text[end:].strip()
        yield from listed(value)


def listed(value: Any) -> list[Any]:
    """The rows of one JSON value."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return [value]
    lists = [value[name] for name in ("rows", "results") if isinstance(value.get(name), list)]
    if len(lists) > 1:
        raise RefusedError(Fault("SidecarError", "both rows and results"))
    return [under(value, row) for row in lists[0]] if lists else [value]


def under(wrapper: dict[str, Any], row: Any) -> Any:
    """A row with the scorer that the object around it names, where it names none itself."""
    named = competitor(wrapper)
    if named is None or not isinstance(row, dict) or competitor(row) is not None:
        return row
    return {**row, "competitor": named}


def records(text: str, delimiter: str) -> Iterator[Any]:
    """The records of delimited text as objects."""
    header, *others = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) or [[]]
    names = [cell.strip() for cell in header]
    if not any(names) or len(set(names)) < len(names):
        raise RefusedError(Fault("SidecarError", "header"))
    for cells in others:
        if cells:
            yield dict(zip(names, cells, strict=True)) if len(cells) == len(names) else BROKEN
