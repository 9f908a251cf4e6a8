"""Groups files of one clip each by scorer.

::

    vmaf/a_x.json  vmaf/b_x.json  ───────────────────────────────────────▶  vmaf/*.json
    all/a_vmaf.json  all/a_ssim.json  all/b_vmaf.json ...  ──clip a twice──▶  all/*_vmaf.json, all/*_ssim.json
    vmaf/a/log.json  vmaf/b/log.json  ───────────────────────────────────▶  vmaf/*/log.json

Words around the name of the clip separate scorers only if a clip would otherwise have two scores, because encodes of a
clip have such words in their names too.
"""

from __future__ import annotations

import functools
import os
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, TypeAlias, TypeVar

from pipeline.join import keys
from pipeline.starter.files.clips import Named, named_clips
from pipeline.starter.files.found import Features
from pipeline.starter.files.inspection import Finding
from pipeline.starter.files.names import (
    extension,
    first_fit,
    folder_name,
    is_general,
    own_name,
    stem,
    trimmed,
)
from pipeline.starter.files.samples import Sample
from pipeline.storage.formats import table_format

_T = TypeVar("_T")
_MAX_SCORERS = 8
GlobFor: TypeAlias = Callable[[Sequence[str]], "str | None"]


@dataclass(frozen=True)
class ClipFile:
    """A file with the scores of one clip.

    Attributes:
        sample: the sample with its one row.
        finding: its kind.
        clip: the name of its clip.
        before: the part of the path before the clip's name, folders included.
        after: the part of the path behind it, extension included.
        is_named: True if the path contains a feature key.
    """

    sample: Sample
    finding: Finding
    clip: str
    before: str
    after: str
    is_named: bool

    @property
    def name(self) -> str:
        """The file, relative to the folder."""
        return self.sample.name

    @property
    def folder(self) -> PurePosixPath:
        """Its folder."""
        return PurePosixPath(self.name).parent


@dataclass(frozen=True)
class ClipFiles:
    """Files with the scores of one scorer, each of one clip.

    Attributes:
        files: at least one.
        label: a name for the scorer.
    """

    files: tuple[ClipFile, ...]
    label: str | None

    @property
    def names(self) -> list[str]:
        """The files, relative to the folder."""
        return [each.name for each in self.files]


def group(
    samples: Sequence[tuple[Sample, Finding]], features: Sequence[Features], glob_for: GlobFor
) -> list[ClipFiles]:
    """Group the files by scorer.

    :param features: the feature tables, whose keys show which part of a path names the clip.
    :param glob_for: a pattern for files that matches no others, if there is one.
    """
    alike = _by(_clip_files(samples, features), lambda each: (each.before, each.after)).values()
    within = [part for each in alike for part in _parts_by_word(each)]
    groups = [part for each in _by(within, _where).values() for part in _merged_in_folder(each)]
    beside = _by(groups, _where)
    several = {where for where, parts in beside.items() if len(parts) > 1}
    return [
        ClipFiles(tuple(each), _label(each, _where(each) in several))
        for parts in _by(groups, _kind).values()
        for each in _merged_across(parts, features, glob_for)
    ]


def _clip_files(samples: Sequence[tuple[Sample, Finding]], features: Sequence[Features]) -> list[ClipFile]:
    named = named_clips([sample.name for sample, _ in samples], features)
    own = [None if finding.by_file else _own_key(sample) for sample, finding in samples]
    if len(set(own)) == 1:  # the field names something else, such as the scorer
        own = [None] * len(own)
    around = {(each.before, each.after) for each in named.values()}
    longest = sorted(around, key=lambda each: (-len(each[0]) - len(each[1]), each))
    return [
        _clip_file(sample, finding, named.get(sample.name), key, longest)
        for (sample, finding), key in zip(samples, own, strict=True)
    ]


def _clip_file(
    sample: Sample, finding: Finding, named: Named | None, key: str | None, around: Sequence[tuple[str, str]]
) -> ClipFile:
    found = named or _rest(sample.name, around)
    # A folder that is named after the clip does not name the scorer.
    before = re.sub(rf"(?<![^/]){re.escape(found.clip)}(?=/)", "*", found.before)
    return ClipFile(sample, finding, key or found.clip, before, found.after, named is not None)


def _rest(name: str, around: Sequence[tuple[str, str]]) -> Named:
    """The clip of a file without a feature key in its path: its name without the words that the other files share."""
    for before, after in around:
        inner = name[len(before) : len(name) - len(after)]
        if inner and "/" not in inner and name.startswith(before) and name.endswith(after):
            return Named(inner, before, after)
    last = PurePosixPath(name).name
    return Named(stem(name), name.removesuffix(last), extension(name))


def _own_key(sample: Sample) -> str | None:
    """The clip that the row itself names."""
    row = sample.rows[0]
    for where in ("", "summary."):
        fields = {name.removeprefix(where): name for name in row if name.startswith(where)}
        if (field := keys.pick(list(fields))) is not None:
            return keys.text(row[fields[field]])
    return None


def _parts_by_word(files: list[ClipFile]) -> list[list[ClipFile]]:
    """The files grouped by the last or first word of their names, if a clip would otherwise have several scores."""
    if _is_once(files):
        return [files]
    for at in (-1, 0):
        parts = _by(files, functools.partial(_word, at))
        if 1 < len(parts) <= _MAX_SCORERS and all(map(_is_once, parts.values())):
            return [[_with_word(each, word, at) for each in part] for word, part in parts.items()]
    return [files]


def _word(at: int, file: ClipFile) -> str:
    return re.split(r"[\W_]+", stem(file.name))[at]


def _with_word(file: ClipFile, word: str, at: int) -> ClipFile:
    return replace(file, before=file.before + word) if at == 0 else replace(file, after=word + file.after)


def _merged_in_folder(parts: list[list[ClipFile]]) -> list[list[ClipFile]]:
    """The files of one folder as one group, unless a clip would have two scores or the scores are of different kinds."""
    merged = [each for part in parts for each in part]
    if len(parts) > _MAX_SCORERS or (_is_once(merged) and len(_kinds(merged)) < 2):
        return [merged]
    return parts


def _merged_across(
    groups: list[list[ClipFile]], features: Sequence[Features], glob_for: GlobFor
) -> list[list[ClipFile]]:
    """The files of several folders as one group, if they are of one scorer and one pattern matches them."""
    if len(groups) < 2:
        return groups
    above = PurePosixPath(os.path.commonpath([each.folder for part in groups for each in part]))
    merged = [each for part in groups for each in part]
    sound = _is_one_scorer(groups, merged) and not _tables_between(above, merged, features)
    if sound and glob_for([each.name for each in merged]) is not None:
        return [merged]
    below = _by(groups, lambda each: each[0].folder.parts[: len(above.parts) + 1]).values()
    if len(below) == 1:
        return groups
    return [part for each in below for part in _merged_across(each, features, glob_for)]


def _is_one_scorer(groups: list[list[ClipFile]], merged: list[ClipFile]) -> bool:
    """True if the scores are of one scorer: the rows name it, or the folders have names of clips."""
    return _is_once(merged) and (
        merged[0].finding.names_scorer or all(_is_part_of_clips(each) for each in groups)
    )


def _is_part_of_clips(files: Sequence[ClipFile]) -> bool:
    return all(
        re.search(rf"\b{re.escape(each.folder.name)}\b", each.clip.replace("_", " ")) for each in files
    )


def _tables_between(above: PurePosixPath, files: Sequence[ClipFile], features: Sequence[Features]) -> bool:
    """True if the folders of the files below `above` contain feature tables: each is then a separate corpus."""
    depth = len(above.parts) + 1
    below = {each.folder.parts[:depth] for each in files if len(each.folder.parts) >= depth}
    return any(PurePosixPath(each.name).parent.parts[:depth] in below for each in features)


def _is_once(files: Sequence[ClipFile]) -> bool:
    """True if each clip has one score."""
    return len({each.clip for each in files}) == len(files)


def _kinds(files: Iterable[ClipFile]) -> set[Hashable]:
    """The different scorers and fields of the files; a file of a failed clip may have none."""
    return {(each.finding.scorers, each.finding.measured) for each in files if each.finding.measured}


def _kind(files: list[ClipFile]) -> Hashable:
    """The format, scorers and fields, which all files of one scorer share. Files that differ share them with no others."""
    kinds = _kinds(files)
    return (table_format(files[0].name), kinds.pop()) if len(kinds) == 1 else files[0].name


def _where(files: list[ClipFile]) -> Hashable:
    """The folder and format of files; files of several folders match no others."""
    folders = {each.folder for each in files}
    return (folders.pop(), table_format(files[0].name)) if len(folders) == 1 else files[0].name


def _label(files: list[ClipFile], several: bool) -> str | None:
    """A name for the scorer: the name of the folder, or words of the file names if the folder has several scorers."""
    around = {(each.before, each.after) for each in files}
    before, after = around.pop() if len(around) == 1 else ("", "")
    folder, slash, tail = after.rpartition("/")
    behind = own_name(tail) if slash else own_name(f"x{tail}")[1:]
    words = map(trimmed, (before.rpartition("/")[2], *folder.split("/"), behind))
    beside = "-".join(word for word in words if word and not is_general(word))
    above = os.path.commonpath([PurePosixPath(f"{each.before}x").parent for each in files])
    nearest = folder_name(f"{above}/x")
    return first_fit(beside, nearest) if several else first_fit(nearest, beside)


def _by(items: Iterable[_T], key: Callable[[_T], Hashable]) -> dict[Any, list[_T]]:
    """The items grouped by key, in order."""
    found: dict[Any, list[_T]] = defaultdict(list)
    for each in items:
        found[key(each)].append(each)
    return found
