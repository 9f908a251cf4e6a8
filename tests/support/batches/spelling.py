"""Clips, and how each side of a join spells their keys."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.support.batches.odds import once_in, one_of, weighted

CLIPS = ("c0", "c1", "c2", "c3", "C1", "747", "8", "t_20.0", "b.7z", "0042", "é x", "1_0", "9007199254740993")
DECOMPOSED = {"é x": unicodedata.normalize("NFD", "é x")}  # as some systems write it
PLAIN_NAMES = ("clip_id", "video_id", "Clip_ID", "content_id", "chug_video_id")
PATH_NAMES = ("file_name", "filename", "basename", "name", "distorted_path", "dis_path", "path", "Path")
FOLDERS = ("x/", "y/", "/data/x/", "")


@dataclass(frozen=True)
class Spelling:
    """How one side spells its keys: `plain`, as a `file` name or as a `path`, under a field.

    Attributes:
        extension: what a file's name ends with; `.267` and `.mpeg4a` are no extensions.
    """

    style: str
    field: str
    extension: str


@dataclass(frozen=True)
class Keys:
    """The clips of a batch, the spelling of both sides, and the options that make them meet."""

    clips: list[str]
    features: Spelling
    scores: Spelling
    options: dict[str, str]


@st.composite
def keys(draw: st.DrawFn) -> Keys:
    """Keys of both sides that mostly meet."""
    features, scores = draw(spellings()), draw(spellings())
    if "plain" not in (features.style, scores.style) and not once_in(draw, 3):
        scores = replace(scores, extension=features.extension)
    options = {}
    normalize = weighted(
        draw, {"auto": 1, "raw": 1, "basename": 1} | dict.fromkeys(fitting(features, scores), 6)
    )
    if normalize != "auto" or once_in(draw, 2):
        options["key_normalize"] = normalize
    if once_in(draw, 8):
        options["key_regex"] = weighted(draw, {"(.+)": 4, "^([^.]+)": 4, "([a-z0-9]+)": 2, "c([0-9])|747": 1})
        if not once_in(draw, 4):
            options["score_key_regex"] = options["key_regex"]
    clips = draw(st.lists(st.sampled_from(CLIPS), min_size=2, max_size=7, unique=True))
    return Keys(clips, features, scores, options)


@st.composite
def spellings(draw: st.DrawFn) -> Spelling:
    """A spelling under a field that suits it."""
    style = weighted(draw, {"plain": 2, "file": 1, "path": 3})
    extension = weighted(draw, {".mp4": 6, ".266": 1, ".m2ts": 1, ".7z": 1, ".267": 1, ".mpeg4a": 1, "": 1})
    names = PLAIN_NAMES if style == "plain" else PATH_NAMES
    return Spelling(style, one_of(draw, *names), "" if style == "plain" else extension)


def fitting(features: Spelling, scores: Spelling) -> list[str]:
    """Ways of normalising under which the same clips have the same keys."""
    if "plain" in (features.style, scores.style):
        return ["auto", "stem", "raw"] if features.style == scores.style else ["stem"]
    if features.extension != scores.extension:
        return ["stem"]
    if features.style == scores.style == "file":
        return ["auto", "raw", "basename", "stem"]
    return ["auto", "basename", "stem"]


def spelled(draw: st.DrawFn, clip: str, spelling: Spelling) -> str:
    """A clip's key; seldom with blanks around it or in another folder."""
    clip = DECOMPOSED.get(clip, clip) if once_in(draw, 3) else clip
    clip = clip.swapcase() if once_in(draw, 12) else clip
    if spelling.style == "plain":
        key = clip
    else:
        folder = (
            ""
            if spelling.style == "file"
            else weighted(draw, {"x/": 20, "y/": 1, "": 1, "/d/x y/": 1, "./x/": 1, "X/": 1})
        )
        key = f"{folder}{clip}{spelling.extension}"
    return f" {key} " if once_in(draw, 30) else key


def as_number(draw: st.DrawFn, key: str) -> object:
    """A key that is a number as JSON may hold it."""
    if key != "0042" and key.isascii() and key.isdecimal() and once_in(draw, 2):
        return float(key) if len(key) < 16 and once_in(draw, 2) else int(key)
    return key
