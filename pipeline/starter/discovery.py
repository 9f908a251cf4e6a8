"""What stands below a folder: feature tables, sidecars, and what is neither."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline import keys
from pipeline.entries import ScoreEntry
from pipeline.errors import BatchError
from pipeline.formats import table_format
from pipeline.patterns import Pattern
from pipeline.starter.inspection import Finding, inspect, names_scorer
from pipeline.starter.meeting import common_start
from pipeline.starter.samples import Sample, sample_of, take_sample
from pipeline.starter.sources import Features, Sidecar

_LEAST_KEYED = 3


@dataclass
class Found:
    """What stands below a folder.

    Attributes:
        features: the feature tables.
        sidecars: the sidecars.
        left_out: the other files of a known format, each with the reason.
        looked_at: how many files of a known format there are.
    """

    features: list[Features] = field(default_factory=list)
    sidecars: list[Sidecar] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    looked_at: int = 0


def find(folder: Path, reserved: Sequence[str] = ()) -> Found:
    """Look at every visible file below a folder.

    :param reserved: files that a run will write, relative to the folder.
    """
    found = Found()
    singles: dict[tuple[PurePosixPath, str], list[Sample]] = defaultdict(list)
    for name in Pattern("**/*").matches(folder):
        if table_format(name) is None:
            continue
        found.looked_at += 1
        try:
            sample = _sample(folder, name, reserved)
        except BatchError as exc:
            found.left_out.append((name, str(exc)))
            continue
        finding = inspect(sample)
        if sample.is_single and (finding.kind == "sidecar" or names_scorer(sample)):
            path = PurePosixPath(name)
            singles[path.parent, path.name.partition(".")[2]].append(sample)
        else:
            _take(found, sample, finding)
    for samples in singles.values():
        _take_singles(found, folder, samples, reserved)
    return found


def _sample(folder: Path, name: str, reserved: Sequence[str]) -> Sample:
    if not name.isprintable() or "*" in name:
        raise BatchError("its name holds what a manifest cannot, or a *; expected another name")
    if name.endswith(".run-log.jsonl"):
        raise BatchError("a run log")
    sample = take_sample(folder, name)
    if name in reserved and inspect(sample).kind != "neither":
        raise BatchError("a run of the manifest would write it; expected another name")
    return sample


def _take(found: Found, sample: Sample, finding: Finding) -> None:
    if finding.kind == "features":
        texts = {name: sample.texts[name] for name in finding.key_columns if name is not None}
        found.features.append(Features(sample.name, finding, texts))
    elif finding.kind == "sidecar":
        found.sidecars.append(Sidecar(sample.name, finding))
    else:
        found.left_out.append((sample.name, finding.why))


def _take_singles(found: Found, folder: Path, samples: Sequence[Sample], reserved: Sequence[str]) -> None:
    """Take files of one row each in one folder: as one sidecar if each is of a clip of its own."""
    names = [sample.name for sample in samples]
    grouped = sample_of(names[0], [sample.first for sample in samples], whole=True, grouped=True)
    finding = inspect(grouped)
    if len(samples) == 1 or finding.kind != "sidecar" or not (finding.by_file or _is_keyed(grouped, finding)):
        for sample in samples:
            _take(found, sample, inspect(sample))
        return
    pattern = _pattern(folder, names, reserved)
    if pattern is not None:
        found.sidecars.append(Sidecar(pattern, finding))
        return
    reason = "files of one clip each, beside files that a pattern would match as well; expected a folder of their own"
    found.left_out += [(name, reason) for name in names]


def _is_keyed(grouped: Sample, finding: Finding) -> bool:
    """Whether each of at least three files has a key of its own."""
    names = (name or keys.pick(list(grouped.texts)) for name in finding.key_columns)
    distinct = (len(grouped.texts[name].unique()) for name in names if name is not None)
    return len(grouped.rows) >= _LEAST_KEYED and len(grouped.rows) in distinct


def _pattern(folder: Path, names: Sequence[str], reserved: Sequence[str]) -> str | None:
    """A pattern that matches these files of one folder and no others."""
    parent, ends = PurePosixPath(names[0]).parent, PurePosixPath(names[0]).name.partition(".")[2]
    lasts = [PurePosixPath(name).name for name in names]
    begins = common_start(lasts)
    for star in (f"*.{ends}", f"{begins}*.{ends}"):
        pattern = str(parent / star)
        matched = [name for name, _ in ScoreEntry(pattern).files(folder)]
        if sorted(matched) == sorted(names) and not any(map(Pattern(pattern).fits, reserved)):
            return pattern
    return None
