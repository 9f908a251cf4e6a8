"""The clip that a file is about, by the feature key in its path."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.join.keys import KeyRule
from pipeline.starter.files.found import Features
from pipeline.starter.files.names import extension, word_spans

_MAX_FOLDERS = 3


@dataclass(frozen=True)
class Named:
    """The name of a clip within the path of a file.

    Attributes:
        clip: the feature key, or the part of it, that is in the path.
        before: the part of the path before it.
        after: the part of the path behind it, with the extension.
    """

    clip: str
    before: str
    after: str


def named_clips(paths: Sequence[str], features: Sequence[Features]) -> dict[str, Named]:
    """The clip in each path; paths without a feature key are left out.

    Values of several columns may be in the paths (such as the codec `h264`): the column that separates most files is used.
    """
    columns = columns_by_text(features)
    found = {path: _longest(path, columns) for path in paths}
    held: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for path, spans in found.items():
        for column, (start, end) in spans.items():
            held[column][path[start:end]] += 1
    rank = {column: (len(texts), sum(map(len, texts))) for column, texts in held.items()}
    named: dict[str, Named] = {}
    for path, spans in found.items():
        if spans:
            start, end = spans[max(spans, key=lambda column: rank[column])]
            named[path] = Named(path[start:end], path[:start], path[end:])
    return named


def columns_by_text(features: Sequence[Features]) -> dict[str, list[tuple[str, str]]]:
    """For each text, the columns with that key. A key that is a path counts without folders and extension too."""
    columns: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for table in features:
        for column, texts in table.texts.items():
            whole = texts.drop_null().unique()
            stems = dict(zip(whole.to_pylist(), KeyRule("stem").apply(whole).to_pylist(), strict=True))
            for text in {each for key, short in stems.items() for each in _forms(key.strip(), short)}:
                columns[text].append((table.name, column))
    return columns


def _forms(key: str, short: str | None) -> Iterator[str]:
    parts = PurePosixPath(key).parts[-_MAX_FOLDERS:]
    for start in range(len(parts)):
        yield "/".join(parts[start:])
        if short:
            yield "/".join((*parts[start:-1], short))


def _longest(path: str, columns: dict[str, list[tuple[str, str]]]) -> dict[tuple[str, str], tuple[int, int]]:
    """The position of the longest text of each column in the path; the last one if several are equally long."""
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for start, end in word_spans(path.removesuffix(extension(path))):
        for column in columns.get(path[start:end], ()):
            first, last = spans.get(column, (0, 0))
            if end - start >= last - first:
                spans[column] = (start, end)
    return spans
