"""Families of signals: each groups the columns that answer one question, by whole tokens of their names.

The families are data (`families.json`, which users can replace). A pattern is a sequence of tokens in a name, so that
`clip` does not match `sharpness_eclipse` and `nit` does not match `monitor`. The longest pattern decides: `clip_iqa` is
CLIP-IQA and not a clip.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import InputError, listing, show
from ..storage import files, jsontext, textfiles
from ..storage.locations import Location
from ..storage.schema import json_path, load_schema, schema_faults

UNASSIGNED = "unassigned"
"""The family of signals that no family claims."""

LABEL = "label"
"""Name of the excluded kind for the label and for values derived from ratings."""

PACKAGED = Path(__file__).with_name("families.json")
"""The families that are used unless a user gives others."""

_START, _END = "^", "$"
# Splits between words, and inside MOSFull and clipIQA; a single small letter stays with the next word, as in pVMAF.
_BETWEEN = re.compile(r"[\W_]+|(?<=[a-z]{2})(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Family:
    """Signals that answer one question.

    Attributes:
        name: unique among families.
        title: its name for people.
        question: the question that its signals answer.
        patterns: sequences of tokens in a column's name, in lower case.
        candidates: metrics that would cover the family.
        advice: what to do if the family is missing.
    """

    name: str
    title: str
    question: str
    patterns: tuple[str, ...]
    candidates: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class Excluded:
    """A kind of columns that are not signals.

    Attributes:
        name: unique among families and excluded kinds.
        reason: why these columns are not signals.
        patterns: as those of a family.
    """

    name: str
    reason: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Families:
    """All families, and all kinds of columns that are not signals.

    Attributes:
        members: the families, in the order of the file.
        excluded: the excluded kinds, in the order of the file.
        scores: name of the family that joined scores belong to.
        sha256: digest of the file.
    """

    members: tuple[Family, ...]
    excluded: tuple[Excluded, ...]
    scores: str
    sha256: str

    def claims(self, column: str) -> str | None:
        """The family or excluded kind with the longest pattern in a column's name; None if no pattern matches.

        Ties: excluded kinds before families, then file order.
        """
        tokens = (_START, *tokens_of(column), _END)
        found = [
            (len(part), -order, name)
            for part in _parts(tokens, self._longest)
            if part in self._claimed
            for order, name in [self._claimed[part]]
        ]
        return max(found)[2] if found else None

    def reason(self, name: str) -> str | None:
        """Why columns of an excluded kind are not signals; None if `name` is a family."""
        return next((each.reason for each in self.excluded if each.name == name), None)

    @functools.cached_property
    def _claimed(self) -> dict[tuple[str, ...], tuple[int, str]]:
        claimants: Iterator[tuple[int, Family | Excluded]] = enumerate((*self.excluded, *self.members))
        return {
            tuple(pattern.split()): (order, each.name)
            for order, each in claimants
            for pattern in each.patterns
        }

    @functools.cached_property
    def _longest(self) -> int:
        return max(map(len, self._claimed), default=0)


def load_families(path: Location | None = None) -> Families:
    """The families of a file, or those of the package.

    :raises InputMissingError: the file does not exist.
    :raises InputError: it violates `families.schema.json`, repeats a name, or gives a pattern to two families.
    """
    content = _of_package() if path is None else files.read_bytes(path)
    where = "families.json" if path is None else str(path)
    document = _parsed(content, where)
    faults = schema_faults(document, load_schema("families")) or tuple(_faults(document))
    if faults:
        raise InputError(listing(f"{where}: expected families of signals; nothing was written", faults))
    return Families(
        members=tuple(
            Family(**{name: _frozen(value) for name, value in each.items()}) for each in document["families"]
        ),
        excluded=tuple(
            Excluded(each["name"], each["reason"], tuple(each["patterns"]))
            for each in document.get("excluded", [])
        ),
        scores=document["scores"],
        sha256=hashlib.sha256(content).hexdigest(),
    )


def tokens_of(column: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case."""
    return tuple(each.casefold() for each in _BETWEEN.split(column) if each)


def _of_package() -> bytes:
    return resources.files(__package__).joinpath("families.json").read_bytes()


def _parsed(content: bytes, where: str) -> Any:
    try:
        return jsontext.parse(content.removeprefix(textfiles.BYTE_ORDER_MARK))
    except ValueError as exc:
        raise InputError(f"{where}: {exc}; expected families of signals, one JSON object") from exc


def _faults(document: Any) -> Iterator[str]:
    """Checks beyond the schema."""
    owners: dict[str, str] = {}
    names: set[str] = {UNASSIGNED}
    for kind in ("families", "excluded"):
        for index, each in enumerate(document.get(kind, [])):
            where = json_path((kind, index))
            if each["name"] in names:
                yield f"{where}.name: found {show(each['name'])}; expected a name that is not taken"
            names.add(each["name"])
            for at, pattern in enumerate(each["patterns"]):
                if (owner := owners.setdefault(pattern, where)) != where:
                    yield f"{where}.patterns[{at}]: found {show(pattern)}, which {owner} claims; expected one owner"
    if document["scores"] not in {each["name"] for each in document["families"]}:
        yield f"scores: found {show(document['scores'])}; expected the name of one of the families"


def _parts(tokens: Sequence[str], longest: int) -> Iterator[tuple[str, ...]]:
    for start in range(len(tokens)):
        for end in range(start + 1, min(start + longest, len(tokens)) + 1):
            yield tuple(tokens[start:end])


def _frozen(value: str | list[str]) -> Any:
    return tuple(value) if isinstance(value, list) else value
