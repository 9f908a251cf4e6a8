"""What a training job notes of the batch that it was trained on: as text, JSON or BibTeX."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ..errors import count
from ..storage.locations import Location
from .reading import read_report


@dataclass(frozen=True)
class CitedTable:
    """One table: its name in the manifest, the joined table as the manifest names it, its digest, its rows."""

    id: str
    out: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class CitedScorer:
    """One scorer, as the manifest declares it; None: not declared.

    Attributes:
        direction: whether higher or lower is better.
        tables: the tables that have its scores.
    """

    scorer: str
    revision: str | None
    direction: str | None
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Citation:
    """A batch as it is cited.

    Attributes:
        report: name of the report's file.
        sha256: the digest of its bytes, by which the batch is cited.
        versions: the versions that built each of its tables, by name; several where they differ.
    """

    report: str
    sha256: str
    tables: tuple[CitedTable, ...]
    scorers: tuple[CitedScorer, ...]
    versions: dict[str, tuple[str, ...]]

    def as_text(self) -> str:
        """Some lines for people."""
        return "\n".join([f"{self.report}", f"sha256: {self.sha256}", *self._lines()])

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def as_bibtex(self) -> str:
        """A BibTeX entry of the type `misc`, which every style knows."""
        scorers = ", ".join(each.scorer for each in self.scorers)
        fields = {
            "title": f"{_title(self.report)}: {count(len(self.tables), 'joined table')} of video-quality scores",
            "howpublished": f"Batch report of second-opinion {', '.join(self.versions['second-opinion'])}",
            "note": f"Scorers: {scorers or 'none'}. Report SHA-256: {self.sha256}",
        }
        body = "".join(f"  {name} = {{{_escaped(value)}}},\n" for name, value in fields.items())
        return f"@misc{{second-opinion-{self.sha256[:12]},\n{body}}}"

    def _lines(self) -> Iterator[str]:
        yield "tables:"
        for table in self.tables:
            yield f"  {table.id}: {table.out}, {count(table.rows, 'row')}, sha256 {table.sha256}"
        yield "scorers:"
        for each in self.scorers:
            revision = "not declared" if each.revision is None else each.revision
            direction = "" if each.direction is None else f", {each.direction} is better"
            yield f"  {each.scorer}: revision {revision}{direction}; in {', '.join(each.tables)}"
        yield "versions:"
        for name, found in self.versions.items():
            yield f"  {name}: {', '.join(found)}"


def cite(report: str | Location, *, sha256: str | None = None) -> Citation:
    """What a job notes of a complete batch; reads the report alone.

    :param sha256: the digest under which the batch is cited already; None: it is not checked.
    :raises UsageError: the file is not there, or is not a report of this project.
    :raises InputError: the report is not the one that is cited, or its batch is not complete.
    """
    read = read_report(report)
    read.check(sha256)
    tables, scorers, versions = [], dict[str, list[str]](), dict[str, list[str]]()
    declared: dict[str, tuple[str | None, str | None]] = {}
    for table in read.document["tables"]:
        out = table["outputs"]["out"]
        tables.append(CitedTable(table["id"], out["path"], out["sha256"], table["summary"]["output_rows"]))
        for label, covered in table["summary"]["competitors"].items():
            scorers.setdefault(label, []).append(table["id"])
            declared[label] = (covered.get("revision"), covered.get("direction"))
        for name, version in table["versions"].items():
            versions.setdefault(name, []).append(version)
    return Citation(
        report=read.path.name,
        sha256=read.sha256,
        tables=tuple(tables),
        scorers=tuple(
            CitedScorer(label, *declared[label], tuple(scorers[label])) for label in sorted(scorers)
        ),
        versions={name: tuple(dict.fromkeys(found)) for name, found in versions.items()},
    )


def _title(report: str) -> str:
    return report.removesuffix(".json").removesuffix(".report")


def _escaped(value: str) -> str:
    """Text as BibTeX and LaTeX take it."""
    special = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}"} | {each: f"\\{each}" for each in "#$%&_"}
    special |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(character, character) for character in value)
