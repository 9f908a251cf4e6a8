"""Find the feature tables and sidecars below a folder, and list the other files with reasons."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import BatchError
from ...join import keys
from ...manifest.patterns import Pattern
from ...storage.formats import table_format
from ...storage.locations import Location
from .found import Features, Sidecar
from .globs import glob_for, others_of
from .grouping import ClipFiles, group
from .inspection import Finding, as_features, inspect, may_be_of_one_clip
from .maps import as_maps_or_rows
from .samples import Sample, sample_of
from .sampling import take_sample

_MIN_KEYED = 3
_MAX_NAMED = 3


@dataclass
class Found:
    """The files below a folder, by kind.

    Attributes:
        features: the feature tables.
        sidecars: the sidecars.
        left_out: the other files of a known format, each with the reason.
        read: the number of files of a known format.
    """

    features: list[Features] = field(default_factory=list)
    sidecars: list[Sidecar] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    read: int = 0


def find(folder: Location, reserved: Sequence[str] = ()) -> Found:
    """Inspect every visible file below a folder.

    :param reserved: files that a run will write, relative to the folder.
    """
    search = _Search()
    maps: list[Sample] = []
    for name in Pattern("**/*").matches(folder):
        if table_format(name) is None:
            continue
        search.found.read += 1
        try:
            sample = _sample(folder, name, reserved)
        except BatchError as exc:
            search.found.left_out.append((name, str(exc).removeprefix(f"{folder / name}: ")))
            continue
        if sample.as_row is None:
            search.take(sample)
        else:
            maps.append(sample)
    for sample in as_maps_or_rows(maps, search.found.features):
        search.take(sample)
    search.take_doubtful()
    pattern_for = functools.partial(glob_for, folder, reserved=reserved)
    for files in group(search.of_one_clip, search.found.features, pattern_for):
        _take_clip_files(search.found, folder, files, reserved)
    return search.found


class _Search:
    """The state of a search.

    Attributes:
        found: the files found so far, by kind.
        of_one_clip: files of one clip each, which may form sidecars.
    """

    def __init__(self) -> None:
        self.found = Found()
        self.of_one_clip: list[tuple[Sample, Finding]] = []
        self._doubtful: list[tuple[Sample, Finding]] = []

    def take(self, sample: Sample) -> None:
        """Add a file as the kind that its fields show."""
        finding = inspect(sample)
        if may_be_of_one_clip(sample, finding):
            self.of_one_clip.append((sample, finding))
        elif _is_doubtful(finding):
            self._doubtful.append((sample, finding))
        else:
            _take(self.found, sample, finding)

    def take_doubtful(self) -> None:
        """Add files of human labels or of one number as feature tables if there is no other feature table."""
        as_tables = not self.found.features
        for sample, finding in self._doubtful:
            _take(self.found, sample, as_features(sample, finding) if as_tables else finding)


def _sample(folder: Location, name: str, reserved: Sequence[str]) -> Sample:
    if not name.isprintable() or "*" in name:
        raise BatchError(
            "its name contains a character that a manifest cannot, or a *; expected another name"
        )
    if name.endswith(".run-log.jsonl"):
        raise BatchError("a run log")
    sample = take_sample(folder, name)
    if name in reserved and _may_be_taken(inspect(sample)):
        raise BatchError("a run of the manifest would write it; expected another name")
    return sample


def _take(found: Found, sample: Sample, finding: Finding, label: str | None = None) -> None:
    if finding.kind == "features":
        texts = {name: sample.texts[name] for name in finding.key_columns if name is not None}
        found.features.append(Features(sample.name, finding, texts, sample.text))
    elif finding.kind == "sidecar":
        found.sidecars.append(Sidecar(sample.name, finding, label, sample.text))
    else:
        found.left_out.append((sample.name, finding.why))


def _is_doubtful(finding: Finding) -> bool:
    """Whether the file may be a feature table although it seems to have no features."""
    return bool(finding.labels or finding.lone)


def _may_be_taken(finding: Finding) -> bool:
    return finding.kind != "neither" or _is_doubtful(finding)


def _take_clip_files(found: Found, folder: Location, files: ClipFiles, reserved: Sequence[str]) -> None:
    """Add files of one row each: as one sidecar if each is about a different clip."""
    first = files.files[0].sample
    grouped = sample_of(first.name, [each.sample.first for each in files.files], whole=True, grouped=True)
    finding = inspect(grouped)
    alone = len(files.names) == 1
    keyed = finding.by_file or _is_keyed(grouped, finding, all(each.is_named for each in files.files))
    if alone or finding.kind != "sidecar" or not keyed:
        for each in files.files:
            _take(found, each.sample, each.finding, files.label if alone and each.is_named else None)
        return
    pattern = glob_for(folder, files.names, reserved)
    if pattern is not None:
        found.sidecars.append(Sidecar(pattern, finding, files.label, first.text))
        return
    others = ", ".join(others_of(folder, files.names, reserved)[:_MAX_NAMED])
    reason = f"files of one clip each, but a pattern for them also matches {others}; expected a folder of their own"
    found.left_out += [(name, reason) for name in files.names]


def _is_keyed(grouped: Sample, finding: Finding, named: bool) -> bool:
    """True if each file has a different key. Two files without clips in their names may differ by chance."""
    names = (name or keys.pick(list(grouped.texts)) for name in finding.key_columns)
    distinct = (len(grouped.texts[name].unique()) for name in names if name is not None)
    return len(grouped.rows) >= (2 if named else _MIN_KEYED) and len(grouped.rows) in distinct
