"""Declarations that are not options of the join: properties of scorers, and the evidence requested for a table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..errors import show
from ..storage.jsontext import JsonObject
from ..storage.schema import json_path

Direction: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True)
class ScorerDeclaration:
    """Declared properties of a scorer; they hold for every table.

    Attributes:
        label: the scorer's name.
        direction: `higher` or `lower`: which scores are better; None: not declared.
        scale: the lowest and the highest score it can give, in its own units.
        revision: the version of the scorer that computed the scores.
        trained_on: names of the corpora that it was trained on.
    """

    label: str
    direction: Direction | None = None
    scale: tuple[float, float] | None = None
    revision: str | None = None
    trained_on: tuple[str, ...] = ()

    @classmethod
    def of(cls, label: str, given: Mapping[str, Any]) -> ScorerDeclaration:
        """The declaration of the scorer `label`, already checked by the manifest's schema."""
        low, high = scale if (scale := given.get("scale")) else (None, None)
        return cls(
            label=label,
            direction=given.get("direction"),
            scale=None if low is None or high is None else (float(low), float(high)),
            revision=given.get("revision"),
            trained_on=tuple(given.get("trained_on") or ()),
        )

    def as_json(self) -> JsonObject:
        """The declared properties that a join reports, as a JSON object; `trained_on` is not one of them."""
        shown = {
            "direction": self.direction,
            "scale": self.scale and list(self.scale),
            "revision": self.revision,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def faults(self) -> Iterator[str]:
        """Checks beyond the schema: each fault with its JSON path below the declaration."""
        if self.scale is not None and not (math.isfinite(sum(self.scale)) and self.scale[0] < self.scale[1]):
            found = show([*self.scale])
            yield f".scale: found {found}; expected the least and the greatest score, the least first"


@dataclass(frozen=True)
class EvidenceRequest:
    """The evidence requested for a table.

    Attributes:
        target: the column of the label.
        target_direction: `higher` or `lower`: which labels are better.
        target_sd: the column of the standard deviation of each row's ratings, in the label's units; None: not declared.
        target_n: the column of the number of each row's ratings; None: not declared.
        group: the column that names the content; rows of one content are never on both sides of a fold.
        each_row_is_content: instead of `group`: no two rows show the same content.
        features: the columns of the baseline, by name or with `*`.
        corpus: the name of the corpus, to compare with `trained_on` of scorers; None: the table's id.
        corpus_column: the column that names the corpus of each row, if the table pools several; None: it holds one.
        categories: columns with a category of content per row; figures are given for each of their values.
        reference_metric: the column of a full-reference metric, such as `vmaf`; None: not declared.
    """

    target: str
    target_direction: Direction = "higher"
    target_sd: str | None = None
    target_n: str | None = None
    group: str | None = None
    each_row_is_content: bool = False
    features: tuple[str, ...] = ()
    corpus: str | None = None
    corpus_column: str | None = None
    categories: tuple[str, ...] = ()
    reference_metric: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> EvidenceRequest:
        """The request of a table; the manifest's schema has checked `given`."""
        lists = {name: tuple(given.get(name) or ()) for name in ("features", "categories")}
        return cls(**{**given, **lists})

    def as_json(self) -> JsonObject:
        """The request as a JSON object."""
        return {**vars(self), "features": [*self.features], "categories": [*self.categories]}

    def faults(self) -> Iterator[str]:
        """Checks beyond the schema: each fault with its JSON path below the request."""
        if self.each_row_is_content and self.group is not None:
            yield ".each_row_is_content: given together with group; expected only one of them"
        if self.corpus is not None and self.corpus_column is not None:
            yield ".corpus_column: given together with corpus; expected only one of them"
        yield from self._named_twice()

    def _named_twice(self) -> Iterator[str]:
        """The columns that are declared as two things that one column cannot be."""
        numbers = ("target", "target_sd", "target_n", "reference_metric")
        taken: dict[str, str] = {}
        for key in (*numbers, "group", "corpus_column"):
            name = getattr(self, key)
            if name is None or (key == "corpus_column" and name == self.group):
                continue
            if name in taken:
                yield f".{key}: found {show(name)}, which is also the {taken[name]}; expected another column"
            taken.setdefault(name, key)
        for at, name in enumerate(self.categories):
            if taken.get(name) in numbers:
                yield f".categories[{at}]: found {show(name)}, which is also the {taken[name]}; expected another column"


def slug(label: str) -> str:
    """A scorer's name as used in column names: lower case, with `_` for each run of other characters."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def declarations(given: Mapping[str, Mapping[str, Any]]) -> tuple[ScorerDeclaration, ...]:
    """The declarations in a manifest's `scorers`, in order of label."""
    return tuple(ScorerDeclaration.of(label, given[label]) for label in sorted(given))


def declaration_faults(given: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Checks of a manifest's `scorers` beyond its schema: each fault with its JSON path."""
    by_slug: dict[str, str] = {}
    for declared in declarations(given):
        where = json_path(("scorers", declared.label))
        yield from (f"{where}{fault}" for fault in declared.faults())
        first = by_slug.setdefault(slug(declared.label), declared.label)
        if not slug(declared.label):
            yield f"{where}: expected a name with at least one letter or digit"
        elif first != declared.label:
            yield f"{where}: shares its columns with {show(first)}; expected each scorer once"
