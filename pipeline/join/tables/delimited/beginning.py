"""How a delimited feature table begins: its dialect, its header, whether it has one."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ....errors import TableError, count, show
from ....storage import files, textfiles
from ....storage.dialect import Dialect, TextSettings, looks_like_data, no_header, repeats_names, sample
from ....storage.locations import Location
from ... import keys


@dataclass(frozen=True)
class Beginning:
    """How a delimited text begins.

    Attributes:
        dialect: as set or recognised.
        first: the cells of the first record; none: the text is empty.
        second: the cells of the second one; None: there is none.
        columns: the names of the columns.
        header_lines: how many lines name the columns; 0: an entry does.
        ends: whether no record follows them.
    """

    dialect: Dialect
    first: tuple[str, ...]
    second: tuple[str, ...] | None
    columns: tuple[str, ...]
    header_lines: int
    ends: bool

    def check(self, path: Location, settings: TextSettings, wanted_keys: Sequence[str]) -> None:
        """Refuse a file without a header whose columns nothing names, and one with a header where they are set.

        :raises TableError: it is such a file.
        """
        if settings.columns:
            self._check_against(path, settings.columns)
        elif not any(self.first):
            raise TableError(f"{path}: found no header; expected one line that names the columns")
        elif not self._has_key(wanted_keys) and looks_like_data(self.first, self.second):
            raise TableError(f"{path}: {no_header(path.name, self.first, 'feature')}")

    def _check_against(self, path: Location, columns: tuple[str, ...]) -> None:
        if repeats_names(self.first, columns) or keys.pick(self.first) is not None:
            raise TableError(
                f"{path}: the first line names columns: {', '.join(map(show, self.first[:4]))}; expected a file "
                "without a header, as columns is set; leave columns out"
            )
        if self.first and len(self.first) != len(columns):
            raise TableError(
                f"{path}: found {count(len(self.first), 'cell')} in the first line; expected {len(columns)}, as many "
                f"as columns names; the delimiter is {show(self.dialect.delimiter)}"
            )

    def _has_key(self, wanted: Sequence[str]) -> bool:
        """Whether it names a key column; another one may be a partition, which no file names."""
        return any(name in self.first for name in wanted) if wanted else keys.pick(self.first) is not None


def read_beginning(path: Location, usual: str, settings: TextSettings) -> Beginning:
    """Read how the file begins, and no more of it than that takes.

    :param usual: the delimiter that the file's extension implies.
    :raises InputMissingError: the file is not there yet.
    :raises InputError: it cannot be read.
    :raises TableError: it is no delimited text.
    """
    try:
        with (
            textfiles.open_text_bytes(path) as stream,
            files.reading(path),
            io.TextIOWrapper(stream, encoding="utf-8", newline="") as text,
        ):
            return _beginning(path, text, usual, settings)
    except UnicodeDecodeError as exc:
        raise TableError(textfiles.not_utf8(path, exc.object)) from exc
    except csv.Error as exc:
        raise TableError(f"{path}: {exc}; expected UTF-8 text with a header") from exc


def _beginning(path: Location, text: io.TextIOBase, usual: str, settings: TextSettings) -> Beginning:
    csv.field_size_limit(textfiles.MAX_RECORD_BYTES)
    lines = textfiles.record_lines(path, text)
    taken = sample(lines)
    if taken and "\0" in taken[0]:  # every second byte of UTF-16
        raise TableError(textfiles.not_utf8(path))
    dialect = settings.recognised(taken, usual)
    reader = csv.reader(itertools.chain(taken, lines), delimiter=dialect.delimiter)
    first = tuple(next(reader, ()))
    header_lines = 0 if settings.columns else reader.line_num
    ends = len(taken) <= header_lines and next(lines, None) is None
    second = (
        next((tuple(record) for record in reader if record), None) if len(taken) > reader.line_num else None
    )
    return Beginning(dialect, first, second, settings.columns or first, header_lines, ends)
