"""Chooses the column that names the content of each row, and those of corpora and categories."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ...join.keys import KeyRule
from ..files.fields import listed
from . import names
from .first_rows import FirstRows

_MIN_NAMED = 5  # values of a column that is named after contents
_MIN_UNNAMED = 30  # and of one that is not
_MIN_ROWS_EACH, _MAX_ROWS_EACH = 1.5, 40.0
_MAX_FULL = 3  # columns that are read in full
_MAX_CATEGORIES, _MAX_CORPORA = 40, 20
_SPLITS = (r"^(?P<one>.+)[_#-](?P<other>[^_#-]+)$", r"^(?P<one>[^_#-]+)[_#-](?P<other>.+)$")
_MIN_CLIPS, _MAX_RUNGS_SHARE = 5, 1 / 3


@dataclass(frozen=True)
class Contents:
    """What the rows of a table show.

    Attributes:
        group: the column that names the content of each row; None: none is known.
        each_row: True if each row shows another content.
        corpus: the corpus of all rows; None: not named.
        corpus_column: the column that names the corpus of each row; None: there is none.
        categories: columns of categories of content.
        reasons: why, one line each.
        questions: what the user has to decide, one line each.
    """

    group: str | None = None
    each_row: bool = False
    corpus: str | None = None
    corpus_column: str | None = None
    categories: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def columns(self) -> set[str]:
        """The columns that name something."""
        return {*filter(None, (self.group, self.corpus_column)), *self.categories}


@dataclass(frozen=True)
class _Values:
    """How often the values of a column repeat.

    Attributes:
        rows: rows with a value.
        distinct: different values.
    """

    rows: int
    distinct: int

    @classmethod
    def of(cls, texts: pa.Array) -> _Values:
        present = texts.drop_null()
        return cls(len(present), len(present.unique()))

    @property
    def each(self) -> float:
        return self.rows / self.distinct if self.distinct else 0.0


def choose_contents(first: FirstRows) -> Contents:
    """What the rows of the table show, as far as names and values say."""
    group, each_row, line, is_open = _content(first)
    reasons, questions = ([], [line]) if is_open else ([line], [])
    corpus, corpus_column = _corpus(first)
    if corpus_column is not None:
        reasons.append(
            f"evidence.corpus_column {listed([corpus_column])}: by its name it says which corpus a row is of"
        )
    if corpus is not None:
        reasons.append(f"evidence.corpus {corpus}: the only value of the column that names the corpus")
    categories = tuple(
        name
        for name in first.textual
        if names.is_category(name)
        and name != group
        and 2 <= _Values.of(first.texts(name)).distinct <= _MAX_CATEGORIES
    )
    if categories:
        reasons.append(
            f"evidence.categories {listed(categories)}: by name a category of content, with few values"
        )
    return Contents(group, each_row, corpus, corpus_column, categories, tuple(reasons), tuple(questions))


def _content(first: FirstRows) -> tuple[str | None, bool, str, bool]:
    """The column of the content, whether each row has its own, the line that says why, and whether it is a question."""
    keys = _Values.of(first.all_texts(first.key_column))
    if keys.distinct < keys.rows:
        why = f"the key repeats: {keys.rows} rows have {keys.distinct} keys"
        return first.key_column, False, f"evidence.group {listed([first.key_column])}: {why}", False
    named = [name for name in (*first.textual, *first.numeric) if name and names.is_about_content(name)]
    full = {name: first.all_texts(name) for name in named[:_MAX_FULL]}
    values = {name: _Values.of(texts) for name, texts in full.items()}
    repeated = {
        name: full[name] for name, its in values.items() if _MIN_NAMED <= its.distinct < its.rows
    } or _unnamed(first)
    if repeated:
        return _grouped(repeated)
    if single := [name for name, its in values.items() if its.rows == its.distinct == keys.rows]:
        why = f"{listed(single[:1])} names the content and differs in each row"
        return None, True, f"evidence.each_row_is_content: {why}", False
    if why := _doubt(first):
        ask = (
            "add group, a column that names the content, or each_row_is_content if no two rows show the same"
        )
        return None, False, f"evidence.group: {why}; {ask}", True
    why = "no column names a content that repeats; set group instead if several rows show the same"
    return None, True, f"evidence.each_row_is_content: {why}", False


def _unnamed(first: FirstRows) -> dict[str, pa.Array]:
    """Columns of text whose values repeat as contents do, whatever their names."""
    found = {}
    for name in first.textual:
        if name and not names.is_category(name) and not names.is_corpus(name):
            texts = first.texts(name)
            its = _Values.of(texts)
            if its.distinct >= _MIN_UNNAMED and _MIN_ROWS_EACH <= its.each <= _MAX_ROWS_EACH:
                found[name] = texts
    return found


def _grouped(repeated: dict[str, pa.Array]) -> tuple[str | None, bool, str, bool]:
    """The coarsest of the columns if each other one splits its contents; else a question."""
    values = {name: _Values.of(texts) for name, texts in repeated.items()}
    coarsest = min(values, key=lambda name: values[name].distinct)
    for name, texts in repeated.items():
        pairs = pc.binary_join_element_wise(texts, repeated[coarsest], "\0")
        if _Values.of(pairs).distinct > values[name].distinct:
            both = f"{listed([coarsest, name])} may each name the content"
            return None, False, f"evidence.group: {both}; add group with the one that does", True
    its = values[coarsest]
    why = f"its {its.distinct} values repeat, {its.each:.3g} rows each, so it is taken for the content"
    return coarsest, False, f"evidence.group {listed([coarsest])}: {why}", False


def _doubt(first: FirstRows) -> str:
    """Why rows may share contents that no column names; empty: nothing speaks for that."""
    for name in (*first.textual, *first.numeric):
        if names.is_about_encodes(name) and _Values.of(first.texts(name)).distinct > 1:
            return f"{listed([name])} tells encodes of one content apart, and no column names the content"
    if _name_encodes(KeyRule("stem").apply(first.texts(first.key_column)).drop_null()):
        return f"{listed([first.key_column])} seems to name encodes, and no column names their content"
    return "" if first.whole else "the table is too large to look for repeated contents in each column"


def _name_encodes(keys: pa.Array) -> bool:
    """True if keys are made of a clip and of one of few rungs that other clips have too: `a_crf23`, `b_crf23`."""
    for split in _SPLITS:
        halves = [_Values.of(part) for part in pc.extract_regex(keys, split).flatten()]
        for clips, rungs in (halves, reversed(halves)):
            are_clips = clips.distinct >= _MIN_CLIPS and clips.each >= _MIN_ROWS_EACH
            are_rungs = 2 <= rungs.distinct <= rungs.rows * _MAX_RUNGS_SHARE
            if are_clips and are_rungs and clips.rows * 2 > len(keys):
                return True
    return False


def _corpus(first: FirstRows) -> tuple[str | None, str | None]:
    """The corpus of all rows, or the column that names the corpus of each row."""
    for name in first.textual:
        if name and names.is_corpus(name):
            texts = first.all_texts(name).drop_null().unique()
            if len(texts) == 1 and (corpus := texts[0].as_py()).isprintable():
                return corpus, None
            if 2 <= len(texts) <= _MAX_CORPORA:
                return None, name
    return None, None
