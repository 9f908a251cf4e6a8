"""Tables in shards: a pattern or a folder of features, and a folder of joined files under the same names.

::

    features/corpus=chug/part-0.parquet ──▶ joined/corpus=chug/part-0.parquet      features: "features/", out: "joined/"
    features/corpus=bvi/part-0.parquet  ──▶ joined/corpus=bvi/part-0.parquet       joined/_second_opinion.json: the index
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import splitext
from urllib.parse import unquote

from ..errors import InputError, show
from ..storage.formats import COMPRESSIONS, TABLE_EXTENSIONS, table_format
from ..storage.locations import Location
from .patterns import Pattern

INDEX = "_second_opinion.json"
"""The file in a folder of joined shards that names them; readers of folders of Parquet skip it by its name."""

_NULL = "__HIVE_DEFAULT_PARTITION__"
_PARTITION = re.compile(r"(?P<column>[^/=]+)=(?P<value>[^/]*)")


@dataclass(frozen=True)
class Shard:
    """One shard of a table.

    Attributes:
        name: its name below the folder of features, such as `corpus=chug/part-0.parquet`.
        features: the file as the manifest would name it.
        out: the joined file as the manifest would name it.
    """

    name: str
    features: str
    out: str

    @property
    def partitions(self) -> dict[str, str | None]:
        """The hive partitions in its name: the columns that all its rows share, with their value; None is null.

        Values are spelled as in URIs, see https://arrow.apache.org/docs/python/generated/pyarrow.dataset.HivePartitioning.html
        """
        folders = self.name.split("/")[:-1]
        found = (_PARTITION.fullmatch(folder) for folder in folders)
        return {unquote(each["column"]): _value(each["value"]) for each in found if each}


def may_be_many(features: str) -> bool:
    """Whether a name of features can mean many files: a pattern, or a folder. A file may have a star in its name."""
    return "*" in features or features.endswith("/")


def shards(features: str, out: str, out_format: str | None, base: Location) -> list[Shard]:
    """The shards of a table, sorted by name.

    :param features: a pattern, or a folder: all tables below it whose names begin neither with `.` nor with `_`.
    :param out: the folder of joined files.
    :param out_format: the extension of joined files; None: that of the features.
    :raises InputError: a folder cannot be read, a file is no table, or two shards would have one joined file.
    """
    folder = folder_of(features)
    matches = Pattern(pattern_of(features)).matches(base)
    names = [name.removeprefix(folder) for name in matches if _may_be_shard(features, name)]
    found = [shard(features, out, out_format, name) for name in names]
    _check(features, found)
    return found


def shard(features: str, out: str, out_format: str | None, name: str) -> Shard:
    """The shard of that name; no file is looked at."""
    return Shard(name, f"{folder_of(features)}{name}", f"{out}{_joined(name, out_format)}")


def holds(features: str, name: str) -> bool:
    """Whether a file of that name is a shard of the features; it need not exist."""
    return Pattern(pattern_of(features)).fits(name) and _may_be_shard(features, name)


def pattern_of(features: str) -> str:
    """The pattern that all shards fit: that of the features, or of everything below their folder."""
    return f"{features}**/*" if features.endswith("/") else features


def is_partition(folder: str) -> bool:
    """Whether the name of a folder is that of a hive partition."""
    return _PARTITION.fullmatch(folder) is not None


def folder_of(features: str) -> str:
    """The folder that the names of shards are relative to: what is before the first part with a star."""
    fixed = features.partition("*")[0]
    return fixed[: fixed.rfind("/") + 1]


def shard_faults(features: str, out: str, out_format: str | None) -> Iterator[str]:
    """Faults of a table's names, each with its JSON path below the table."""
    if not out.endswith("/"):
        if "*" in features and table_format(features) is None:
            yield f".features: found {show(features)}; expected one of {', '.join(TABLE_EXTENSIONS)}"
        if features.endswith("/"):
            yield f".out: found {show(out)}; expected a folder such as 'joined/', as features are many files"
        if out_format is not None:
            yield ".out_format: expected it with an out that is a folder"
        return
    if not may_be_many(features):
        yield f".out: found the folder {show(out)}; expected a file, as features is one file"
    if out_format is not None and table_format(f"x.{out_format}") is None:
        yield f".out_format: found {show(out_format)}; expected one of {', '.join(TABLE_EXTENSIONS)}, without the dot"


def _joined(name: str, out_format: str | None) -> str:
    if out_format is None:
        return name
    stem, suffix = splitext(name)
    if suffix.lower() in COMPRESSIONS:
        stem, _ = splitext(stem)
    return f"{stem}.{out_format.lstrip('.')}"


def _value(spelled: str) -> str | None:
    return None if spelled == _NULL else unquote(spelled)


def _may_be_shard(features: str, name: str) -> bool:
    """Whether a file that fits the pattern is a table, and not hidden, if features are a folder."""
    if not features.endswith("/"):
        return True
    parts = name.removeprefix(features).split("/")
    return table_format(name) is not None and not any(part[:1] in "._" for part in parts)


def _check(features: str, found: list[Shard]) -> None:
    first: dict[str, str] = {}
    for shard in found:
        if table_format(shard.name) is None:
            raise InputError(
                f"{features}: matches {show(shard.features)}; expected one of {', '.join(TABLE_EXTENSIONS)}"
            )
        if first.setdefault(shard.out, shard.features) != shard.features:
            raise InputError(
                f"{features}: {show(first[shard.out])} and {show(shard.features)} would both be joined as "
                f"{show(shard.out)}; expected names that differ without their extensions"
            )
