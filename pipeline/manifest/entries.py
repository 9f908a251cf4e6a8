"""The entry of one table: the feature table, its sidecars, the outputs, the options."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError, show
from ..storage import filenames
from ..storage.dialect import DECIMALS, UNSET, TextSettings
from ..storage.formats import SIDECAR_EXTENSIONS, TABLE_EXTENSIONS, sidecar_format, table_format
from ..storage.jsontext import JsonObject
from ..storage.locations import Location, is_uri, located
from ..storage.objects import ObjectPath
from .clashes import FileClaims
from .declarations import EvidenceRequest, ScorerDeclaration, slug
from .field_paths import path_fault
from .options import JoinOptions
from .patterns import Pattern
from .shards import INDEX, Shard, may_be_many, pattern_of, shard, shard_faults, shards

FEATURES = "features"
"""The role of a feature table among the inputs of its joined table."""


@dataclass(frozen=True)
class SidecarEntry:
    """One sidecar as a manifest names it.

    Attributes:
        path: the file, or a pattern with `*` and `**` whose matches are one sidecar.
        label: the scorer's name, for rows that do not name it.
        format: the format, if the file's name does not give it.
        key_field: overrides the table's `score_key_field`, or the first of `score_key_fields`.
        key_from: "file": the key is the path of the row's file.
        score_field: overrides the table's `score_field`.
        score_fields: (aspect, field) pairs; each is a scorer named LABEL-aspect.
        text: the settings of delimited text.
    """

    path: str
    label: str | None = None
    format: str | None = None
    key_field: str | None = None
    key_from: str | None = None
    score_field: str | None = None
    score_fields: tuple[tuple[str, str], ...] = ()
    text: TextSettings = UNSET

    @classmethod
    def of(cls, given: str | Mapping[str, Any], base: Location) -> SidecarEntry:
        """The entry for `PATH`, `LABEL=PATH` or an object that the manifest's schema has checked.

        A string that is a URI, or the path of an existing file, is a path even if it contains `=`.
        """
        if not isinstance(given, str):
            apart = {"score_fields", *vars(UNSET)}
            plain = {name: value for name, value in given.items() if name not in apart}
            score_fields = tuple(sorted((given.get("score_fields") or {}).items()))
            return cls(**plain, score_fields=score_fields, text=TextSettings.of(given))
        label, equals, path = given.partition("=")
        if not equals or is_uri(given) or filenames.is_file(located(base, given)):
            return cls(path=given)
        return cls(path=path, label=label)

    @property
    def is_pattern(self) -> bool:
        """True if `path` is a pattern, which means all files it matches."""
        return "*" in self.path

    def labels(self) -> tuple[str, ...]:
        """The scorers that the entry names, whether or not it has rows; one named by its label and an aspect is both."""
        if self.label is None:
            return ()
        return tuple(f"{self.label}-{aspect}" for aspect, _ in self.score_fields) or (self.label,)

    def files(self, base: Location) -> list[tuple[str, Location]]:
        """The files of the sidecar in sorted order, each with its path as the manifest would name it.

        :raises InputError: a folder that a pattern goes through cannot be read.
        """
        place = located(base, self.path)
        if not self.is_pattern or filenames.is_file(place):
            return [(self.path, place)]
        found = Pattern(self.path).matches(base) if filenames.is_name(self.path) else []
        for name in found:
            if not filenames.is_name(name):
                raise InputError(
                    f"{self.path}: matches {show(name)}; expected the name of a file, on one line"
                )
        return [(name, located(base, name)) for name in found]

    def claim(self, claims: FileClaims, base: Location, role: str) -> None:
        """Register the files of the sidecar in `claims`; those of a pattern in a store are not listed for it."""
        place = located(base, self.path)
        if self.is_pattern:
            claims.read_all(place, role)
        if self.is_pattern and isinstance(place, ObjectPath):
            return
        with contextlib.suppress(InputError):  # building the table reports an unreadable folder
            for name, path in self.files(base):
                claims.read(path, f"{role}/{name}" if self.is_pattern else role)

    def as_json(self) -> str | JsonObject:
        """The entry as a manifest spells it, in its shortest form."""
        given: JsonObject = {
            "path": self.path,
            "label": self.label,
            "format": self.format,
            "key_field": self.key_field,
            "key_from": self.key_from,
            "score_field": self.score_field,
            "score_fields": dict(self.score_fields),
        } | self.text.as_json()
        kept = {name: value for name, value in given.items() if value or name == "path"}
        if set(kept) == {"path"} and not (self.is_pattern and "=" in self.path):
            return self.path
        if set(kept) == {"path", "label"} and "=" not in str(self.label):
            return f"{self.label}={self.path}"
        return kept

    def faults(self) -> Iterator[str]:
        """Faults of the entry by itself, each with its JSON path below the entry."""
        if not self.path:
            yield f": found {show(self.as_json())}; expected a path after the ="
        elif (fault := filenames.input_fault(self.path)) is not None:
            yield f": {fault}"
        elif not _is_text(self.path):
            yield f": found {show(self.path)}; expected Unicode text, as a column names the sidecar"
        elif sidecar_format(self.path, self.format) is None and not self.is_pattern:
            yield f": found {show(self.path)}; expected one of {', '.join(SIDECAR_EXTENSIONS)}, or a format"
        if self.label is not None and not slug(self.label):
            yield f".label: found {show(self.label)}; expected a name with at least one letter or digit"
        if self.key_from is not None and self.key_field is not None:
            yield ".key_from: given together with key_field; expected only one of them"
        if self.score_fields and self.score_field is not None:
            yield ".score_fields: given together with score_field; expected only one of them"
        for aspect, _ in self.score_fields:
            if not slug(aspect):
                yield f".score_fields: found the aspect {show(aspect)}; expected at least one letter or digit"
        yield from self._path_faults()
        yield from self._text_faults()

    def _path_faults(self) -> Iterator[str]:
        named = [("key_field", self.key_field), ("score_field", self.score_field)]
        named += [("score_fields", field) for _, field in self.score_fields]
        for name, field in named:
            if field is not None and (fault := path_fault(field, is_key=name == "key_field")) is not None:
                yield f".{name}: {fault}"

    def _text_faults(self) -> Iterator[str]:
        """Faults of the entry's settings for delimited text."""
        form = sidecar_format(self.path, self.format)
        if form not in (None, "csv", "tsv"):
            settings = self.text.as_json()
            yield from (f".{name}: {show(self.path)} has none; expected .csv or .tsv" for name in settings)
        if self.text.decimal not in (None, *DECIMALS):
            yield f".decimal: found {show(self.text.decimal)}; expected one of {' '.join(DECIMALS)}"
        yield from self.text.faults()


@dataclass(frozen=True)
class FeaturesEntry:
    """A feature table as a manifest names it.

    Attributes:
        path: the file; or a pattern or a folder (with `/` at its end), whose tables are shards of one.
        text: the settings of delimited text.
    """

    path: str
    text: TextSettings = UNSET

    @classmethod
    def of(cls, given: str | Mapping[str, Any]) -> FeaturesEntry:
        """The entry for a path, or for an object that the manifest's schema has checked."""
        return cls(given) if isinstance(given, str) else cls(given["path"], TextSettings.of(given))

    def as_json(self) -> str | JsonObject:
        """The entry as a manifest spells it, in its shortest form."""
        settings = self.text.as_json()
        return {"path": self.path, **settings} if settings else self.path

    def faults(self) -> Iterator[str]:
        """Faults of the entry by itself, each with its JSON path below the entry."""
        found = table_format(self.path)
        if (fault := filenames.input_fault(self.path.rstrip("/") or self.path)) is not None:
            yield f": {fault}"
        elif may_be_many(self.path):
            pass  # each of its files is looked at when it is joined
        elif found is None:
            yield f": found {show(self.path)}; expected one of {', '.join(TABLE_EXTENSIONS)}"
        elif found not in ("csv", "tsv"):
            settings = self.text.as_json()
            yield from (f".{name}: {show(self.path)} has none; expected .csv or .tsv" for name in settings)
        yield from self.text.faults()


@dataclass(frozen=True)
class TableEntry:
    """One table of a batch; paths are as the manifest names them.

    Attributes:
        features: the feature table.
        scores: the sidecars, at least one.
        out: the joined table; its extension decides the format. Of a table in shards: the folder of joined files.
        audit_json: the audit; None: not requested.
        options: the effective join options.
        id: the id, unique in the batch; empty for a table outside a batch.
        scorers: the declarations of all scorers, including those that the table does not use.
        evidence: the requested evidence; None: the table declares no label.
        resources: what joining it takes of Luigi's resources, as pairs of name and amount.
        out_format: of a table in shards: the extension of joined files; None: that of the features.
    """

    features: FeaturesEntry
    scores: tuple[SidecarEntry, ...]
    out: str
    audit_json: str | None
    options: JoinOptions
    id: str = ""
    scorers: tuple[ScorerDeclaration, ...] = ()
    evidence: EvidenceRequest | None = None
    resources: tuple[tuple[str, int], ...] = ()
    out_format: str | None = None

    @property
    def is_sharded(self) -> bool:
        """Whether its features are many files, and its output a folder."""
        return self.out.endswith("/")

    @property
    def target(self) -> str:
        """The file that is written last: the joined table, or the index of its shards."""
        return f"{self.out}{INDEX}" if self.is_sharded else self.out

    def shards(self, base: Location) -> list[Shard]:
        """Its shards, in order; none if it is one file.

        :raises InputError: see `shards.shards`.
        """
        return shards(self.features.path, self.out, self.out_format, base) if self.is_sharded else []

    def shard(self, name: str) -> Shard:
        """Its shard of that name; no file is looked at."""
        return shard(self.features.path, self.out, self.out_format, name)

    def of_shard(self, shard: Shard) -> TableEntry:
        """The entry of one shard. What counts for the whole table is not refused for a shard."""
        policy = "mark" if self.options.missing_policy == "fail" else self.options.missing_policy
        return replace(
            self,
            features=replace(self.features, path=shard.features),
            out=shard.out,
            out_format=None,
            audit_json=None,
            options=replace(self.options, missing_policy=policy, min_coverage=0.0),
            evidence=None,
        )

    def as_json(self) -> JsonObject:
        """The JSON object that decides the table's content and path: everything except id, evidence and resources."""
        declared = {each.label: shown for each in self.scorers if (shown := each.as_json())}
        return {
            "features": self.features.as_json(),
            "scores": [entry.as_json() for entry in self.scores],
            "out": self.out,
            "audit_json": self.audit_json,
            "config": self.options.as_json(),
            **({"scorers": declared} if declared else {}),
            **({"out_format": self.out_format} if self.out_format else {}),
        }

    def outputs(self, base: Location) -> list[tuple[str, Location]]:
        """The files that the table writes, each with the field that names it."""
        named = [("out", self.target), ("audit_json", self.audit_json)]
        with contextlib.suppress(InputError):  # reading the inputs reports it
            named += [(f"out/{shard.name}", shard.out) for shard in self.shards(base)]
        return [(field, located(base, path)) for field, path in named if path is not None]

    def inputs(self, base: Location) -> list[tuple[str, Location]]:
        """The files that the table reads, each with the field that names it; a pattern gives all its matches.

        :raises InputError: a folder that a pattern goes through cannot be read.
        """
        named = [(f"{FEATURES}/{shard.name}", located(base, shard.features)) for shard in self.shards(base)]
        if not self.is_sharded:
            named = [(FEATURES, located(base, self.features.path))]
        for index, entry in enumerate(self.scores):
            for name, path in entry.files(base):
                named.append((f"scores[{index}]" + (f"/{name}" if entry.is_pattern else ""), path))
        return named

    def missing(self, base: Location) -> list[tuple[str, str]]:
        """The inputs that do not exist yet, each with its field and path. A pattern without matches is one of them."""
        named = [] if self.is_sharded else [(FEATURES, self.features.path)]
        absent = [(FEATURES, self.features.path)] if self._has_no_shard(base) else []
        for index, entry in enumerate(self.scores):
            try:
                found = [name for name, _ in entry.files(base)] or [entry.path]
            except InputError:
                continue  # it may exist; reading it reports the error
            named += [(f"scores[{index}]", name) for name in found]
        return absent + [(field, name) for field, name in named if not filenames.exists(located(base, name))]

    def _has_no_shard(self, base: Location) -> bool:
        with contextlib.suppress(InputError):  # there may be one; reading it reports the error
            return self.is_sharded and not self.shards(base)
        return False

    def faults(self) -> Iterator[str]:
        """Faults of the entry by itself, each with its JSON path below the entry.

        `option_faults` checks its options, because they may come from `defaults`; `claim` checks its files.
        """
        yield from (f".features{fault}" for fault in self.features.faults())
        yield from shard_faults(self.features.path, self.out, self.out_format)
        if not self.is_sharded and table_format(self.out) is None:
            folder = ", or a folder with / at its end" if may_be_many(self.features.path) else ""
            yield f".out: found {show(self.out)}; expected one of {', '.join(TABLE_EXTENSIONS)}{folder}"
        for index, entry in enumerate(self.scores):
            yield from (f".scores[{index}]{fault}" for fault in entry.faults())
        for name, given in (("out", self.target), ("audit_json", self.audit_json)):
            if given is not None and (fault := filenames.output_fault(given)) is not None:
                yield f".{name}: {fault}"
        yield from (f".{fault}" for fault in self.options.faults())
        if self.evidence is not None:
            yield from (f".evidence{fault}" for fault in self.evidence.faults())

    def claim(self, claims: FileClaims, base: Location, prefix: str = "") -> None:
        """Register the files of the table in `claims`, under names that begin with `prefix`."""
        if self.is_sharded:
            claims.read_all(located(base, pattern_of(self.features.path)), f"{prefix}{FEATURES}")
        else:
            claims.read(located(base, self.features.path), f"{prefix}{FEATURES}")
        for index, entry in enumerate(self.scores):
            entry.claim(claims, base, f"{prefix}scores[{index}]")
        for field, path in self.outputs(base):
            claims.written(path, f"{prefix}{field}")


def _is_text(name: str) -> bool:
    """True if UTF-8 can encode a name. Python shows other names of a file system with surrogates."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
