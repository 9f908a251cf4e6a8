"""Puts together what evidence to ask of a table, with the reasons and the questions that stay open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ...errors import BatchError
from ...manifest.declarations import EvidenceRequest
from ...storage.jsontext import JsonObject
from ..files.fields import listed
from ..keys.readings import Columns
from .baseline import Baseline, choose_baseline
from .content import Contents, choose_contents
from .first_rows import FirstRows
from .label import Label, choose_label, why_no_label


@dataclass(frozen=True)
class ProposedEvidence:
    """What evidence to ask of a table.

    Attributes:
        request: the request; None: the user has to say what the label is.
        notes: why, and what the user has to decide, one line each.
    """

    request: EvidenceRequest | None
    notes: tuple[str, ...]


def propose_evidence(
    table: Columns, key_column: str, scorers: Sequence[str], prefix: str
) -> ProposedEvidence:
    """Choose what evidence to ask of a table, by the names of its columns and its first rows.

    :param scorers: the labels of the scorers that are joined.
    :param prefix: the beginning of the names of the columns that the join appends.
    """
    try:
        first = FirstRows.of(table, key_column)
        label = choose_label(first)
        if label is None:
            return ProposedEvidence(None, (why_no_label(first),))
        contents = choose_contents(first)
        declared = {*label.columns, *contents.columns}
        baseline = choose_baseline(first, declared, label.target, scorers, prefix)
    except (BatchError, pa.ArrowException, UnicodeDecodeError) as exc:  # a text of Parquet need not be UTF-8
        return ProposedEvidence(
            None, (f"evidence: none is proposed, as the table cannot be read by column: {exc}",)
        )
    request = _request(label, contents, baseline)
    if label.rivals:
        return ProposedEvidence(None, (_choice(label, request),))
    return ProposedEvidence(request, tuple(_notes(label, contents, baseline)))


def spelled(request: EvidenceRequest) -> JsonObject:
    """The request as a manifest spells it, without keys that equal their defaults."""
    usual = EvidenceRequest(target="").as_json()
    return {name: value for name, value in request.as_json().items() if value != usual[name]}


def _request(label: Label, contents: Contents, baseline: Baseline) -> EvidenceRequest:
    return EvidenceRequest(
        target=label.target,
        target_direction=label.direction,
        target_sd=label.deviation,
        target_n=label.count,
        group=contents.group,
        each_row_is_content=contents.each_row,
        features=baseline.features,
        corpus=contents.corpus,
        corpus_column=contents.corpus_column,
        categories=contents.categories,
        reference_metric=label.reference_metric,
    )


def _choice(label: Label, request: EvidenceRequest) -> str:
    """What to add if several columns are equally likely."""
    rivals = listed((label.target, *label.rivals))
    added = json.dumps(spelled(request), ensure_ascii=False)
    return f'decide: {rivals} may each be the label, so no evidence is proposed; for {listed([label.target])} add "evidence": {added}'


def _notes(label: Label, contents: Contents, baseline: Baseline) -> Iterator[str]:
    parts = (label, contents, baseline)
    yield from (line for part in parts for line in part.reasons)
    yield from (f"decide: {line}" for part in parts for line in part.questions)
