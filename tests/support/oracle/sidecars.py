"""The files of a sidecar, and the rows in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.support.oracle import faults
from tests.support.oracle.delimited import decimal_of, delimiter_of, names_any, split
from tests.support.oracle.faults import Fault, RefusedError, RowFaultError
from tests.support.oracle.fields import RUNTIMES, SCORES, Absent, held, looked_up
from tests.support.oracle.scores import Score, scores_of
from tests.support.oracle.shapes import Wanted, has_key, rows_of_documents, rows_of_line
from tests.support.oracle.texts import BROKEN, content_of, format_of, parsed, unrepeated


def as_object(given: str | Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """An entry of `scores` as an object."""
    if not isinstance(given, str):
        return dict(given)
    if "=" not in given or (folder / given).is_file():
        return {"path": given}
    label, path = given.split("=", 1)
    return {"label": label, "path": path}


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
    one = entry.get("score_field") or options["score_field"]
    wanted = Wanted(
        entry.get("key_field") or options["score_key_field"],
        [*(entry.get("score_fields") or {}).values()] or ([one] if one else []),
        entry.get("key_from") == "file",
    )
    for name in names:
        form = format_of(name, entry.get("format"))
        note = note_of(folder / name, name, form, entry)
        for row in rows_of(folder / name, form, entry, wanted):
            if not isinstance(row, dict):
                faulty += 1
                continue
            try:
                scores += [replace(score, note=note) for score in scores_of(row, entry, options, name)]
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


def rows_of(path: Path, form: str | None, entry: Mapping[str, Any], wanted: Wanted) -> list[Any]:
    """Every row of a file; what is no object stands for itself."""
    if form == "parquet":
        return list(pq.read_table(path).to_pylist())
    text = content_of(path)
    if form == "jsonl":
        lines = [parsed(line) for line in text.split("\n") if line.strip()]
        return [row for line in lines for row in rows_of_line(line, wanted)]
    if form == "json":
        return rows_of_documents(documents(text), wanted)
    return records(text, "\t" if form == "tsv" else ",", entry, wanted)


def documents(text: str) -> list[Any]:
    """JSON values one after another."""
    decoder = json.JSONDecoder(object_pairs_hook=unrepeated)
    text = text.strip()
    values = []
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except ValueError as exc:
            raise RefusedError(Fault("SidecarError")) from exc
        text = text[end:].strip()
        values.append(value)
    return values


def records(text: str, usual: str, entry: Mapping[str, Any], wanted: Wanted) -> list[Any]:
    """The records of delimited text as objects."""
    named = entry.get("columns")
    delimiter = entry.get("delimiter") or delimiter_of(text, usual, bool(named))
    found = [cells for cells in split(text, delimiter) if cells]
    if named and found and (names_any(found[0], named) or is_enough(found[0], wanted)):
        raise RefusedError(Fault("SidecarError", "and the entry names the columns"))
    header, *others = [named, *found] if named else split(text, delimiter) or [[]]
    names = [cell.strip() for cell in header]
    if not any(names) or len(set(names)) < len(names):
        raise RefusedError(Fault("SidecarError", "" if not is_enough(names, wanted) else "header"))
    rows = [cells for cells in others if cells]
    sound = [cells for cells in rows if len(cells) == len(names)]
    decimal = entry.get("decimal") or decimal_of(found if named else found[1:], delimiter)
    if not named and not is_enough(names, wanted) and not has_key(dict.fromkeys(names), wanted) and rows:
        raise RefusedError(
            Fault("SidecarError")
        )  # of each row, or of the file, whose first line is no header
    made = [dict(zip(names, cells, strict=True)) for cells in sound]
    if decimal == ",":
        made = [with_points(row, wanted) for row in made]
    return made + [BROKEN] * (len(rows) - len(sound))


def is_enough(names: Sequence[str], wanted: Wanted) -> bool:
    """Whether a header has a key and a score."""
    row = dict.fromkeys(names)
    if wanted.scores:
        return has_key(row, wanted) and any(looked_up(row, field) is not Absent for field in wanted.scores)
    return has_key(row, wanted) and bool(held(row, SCORES))


def with_points(row: dict[str, str], wanted: Wanted) -> dict[str, str]:
    """A row whose scores and runtimes have decimal commas, with points; a point is none."""
    names = {name for name, _ in held(row, [*SCORES, *RUNTIMES])} | set(wanted.scores)
    marked = {
        name: "no number" if "." in row[name] else row[name].replace(",", ".")
        for name in names & set(row) - {wanted.key}
    }
    return {**row, **marked}


def note_of(path: Path, name: str, form: str | None, entry: Mapping[str, Any]) -> str | None:
    """What an audit says of a file whose dialect was recognised."""
    if form not in ("csv", "tsv"):
        return None
    text, usual, named = content_of(path), "\t" if form == "tsv" else ",", bool(entry.get("columns"))
    delimiter = entry.get("delimiter") or delimiter_of(text, usual, named)
    found = [cells for cells in split(text, delimiter) if cells]
    decimal = entry.get("decimal") or decimal_of(found if named else found[1:], delimiter)
    recognised = [
        f"{what} {sign!r}"
        for what, sign, expected in (("delimiter", delimiter, usual), ("decimal", decimal, "."))
        if not entry.get(what) and sign != expected
    ]
    return f"{name}: {' and '.join(recognised)} recognised" if recognised else None
