"""What a column is, by the words of its name; no I/O but the package's families of signals."""

from __future__ import annotations

import functools
from typing import Literal, TypeAlias

from ...manifest.families import LABEL, Families, load_families, tokens_of

Rated: TypeAlias = Literal["label", "deviation", "count", "derived"]
"""What a column about ratings holds: the label, the standard deviation or number of ratings, or something else."""

_OPINION = frozenset({"mos", "dmos"})
_VAGUE = frozenset(
    {
        "rating",
        "ratings",
        "label",
        "labels",
        "target",
        "gt",
        "ground",
        "truth",
        "groundtruth",
        "opinion",
        "subjective",
    }
)
_WHOLE = frozenset({"full", "overall", "mean", "avg", "average", "final", "all", "human", "score", "value"})
_DEVIATION = frozenset({"std", "sd", "sos", "stdev", "stddev", "dev", "deviation", "standard"})
_COUNT = frozenset(
    {"n", "num", "number", "count", "votes", "raters", "subjects", "observers", "participants", "annotators"}
)
_DERIVED = frozenset(
    {"var", "variance", "se", "sem", "stderr", "error", "ci", "ci95", "lower", "upper", "min", "max", "rank"}
    | {"pred", "predicted", "prediction", "estimated", "model"}
)
_METRICS = frozenset(
    {"full_reference", "error_energy", "structural_similarity", "deep_perceptual", "no_reference"}
)
_PERHAPS_LABEL = frozenset({("score",), ("quality",), ("quality", "score"), ("y",)})
_CONTENT = frozenset(
    {"content", "contents", "source", "src", "scene", "original", "orig", "reference", "ref"}
    | {"sequence", "seq", "title", "pristine", "parent"}
)
_NAMING = frozenset(
    {"name", "id", "ids", "uid", "key", "video", "vid", "clip", "file", "filename", "path", "stem", "title"}
    | {"number", "no", "index", "idx", "hash", "md5"}
)
_CLIPS = frozenset({"video", "vid", "clip", "image", "img", "item", "sample", "stimulus", "pvs"})
_ENCODES = frozenset({"crf", "qp", "rung", "bitladder", "ladder", "hrc", "preset", "rendition"})
_CATEGORIES = frozenset(
    {("category",), ("categories",), ("genre",), ("topic",), ("content", "type"), ("content", "category")}
)
_CORPORA = frozenset({"corpus", "dataset", "database", "db"})


@functools.cache
def families() -> Families:
    """The package's families of signals."""
    return load_families()


def rated(name: str) -> Rated | None:
    """What a column about ratings holds; None if it is not about ratings."""
    tokens = {*tokens_of(name)}
    if families().claims(name) != LABEL:
        return None
    if tokens & _DEVIATION:
        return "deviation"
    if tokens & _COUNT:
        return "count"
    claimed = {families().claims(token) for token in tokens} - {None, LABEL}
    foreign = claimed & _METRICS if tokens & _OPINION else claimed
    return "derived" if foreign or tokens & _DERIVED or not tokens & (_OPINION | _VAGUE) else "label"


def label_rank(name: str) -> int:
    """How surely a label is *the* label by its name, 0 the surest: `mos`, then `MOSFull`, `mos_j`, `rating`."""
    tokens = {*tokens_of(name)}
    if not tokens & _OPINION:
        return 3
    rest = tokens - _OPINION
    return 0 if not rest else 1 if rest <= _WHOLE else 2


def is_perhaps_label(name: str) -> bool:
    """True for names such as `score`, which a label may have, and a metric as well."""
    return tokens_of(name) in _PERHAPS_LABEL


def is_loss(name: str) -> bool:
    """True if the label counts what was lost, as DMOS does."""
    return "dmos" in tokens_of(name)


def is_opinion(name: str) -> bool:
    """True if the name says that the label is a mean opinion score, of which higher is better."""
    return "mos" in tokens_of(name)


def rest_of_rated(name: str) -> frozenset[str]:
    """The words that tell labels of one table apart: `full` for `MOSFull` and for `stdFull`."""
    return frozenset(tokens_of(name)) - _OPINION - _VAGUE - _DEVIATION - _COUNT


def is_plain_deviation(name: str) -> bool:
    """True for `SD` and `std`, which are deviations of ratings if they are those of a label beside them."""
    return tokens_of(name) in {("std",), ("sd",), ("stdev",), ("stddev",)}


def is_about_content(name: str) -> bool:
    """True if the name says that its values name contents: `content_name`, but not `content_type` or `src_width`."""
    tokens = {*tokens_of(name)}
    return bool(tokens & _CONTENT) and tokens <= _CONTENT | _NAMING


def is_clip_number(name: str) -> bool:
    """True if numbers under this name may number clips."""
    return bool({*tokens_of(name)} & _CLIPS)


def is_about_encodes(name: str) -> bool:
    """True if the name says that contents were encoded several times."""
    return bool({*tokens_of(name)} & _ENCODES)


def is_category(name: str) -> bool:
    """True if the name says that its values are categories of content."""
    return tokens_of(name) in _CATEGORIES


def is_corpus(name: str) -> bool:
    """True if the name says that its values name corpora."""
    tokens = {*tokens_of(name)}
    return bool(tokens & _CORPORA) and tokens <= _CORPORA | {"name"}


def reference_rank(name: str) -> int | None:
    """How well a column serves as the full-reference metric, 0 best; None if its name is not that of one."""
    tokens = tokens_of(name)
    for rank, metric in enumerate((("vmaf",), ("ms", "ssim"), ("ssim",), ("psnr",), ("psnr", "y"))):
        if tokens[: len(metric)] == metric and {*tokens[len(metric) :]} <= {"mean", "score", "avg"}:
            return rank
    return None
