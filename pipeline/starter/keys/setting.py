"""The join options that decide which keys match, as far as `init` proposes them; no I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pipeline.manifest.options import KeyNormalize

_ANY = "(.+?)"


@dataclass(frozen=True, eq=False)  # compared by identity, so that they can be keys of a cache
class Keys:
    """The raw keys of one side.

    Attributes:
        name: the column or field of the keys.
        raw: the texts of the keys (string).
        scorer: the scorer of a sidecar; empty for a feature table.
    """

    name: str
    raw: pa.Array
    scorer: str = ""


@dataclass(frozen=True)
class Setting:
    """The fields of `JoinOptions` that decide which keys match."""

    key_column: str
    key_normalize: KeyNormalize = "auto"
    key_regex: str | None = None
    score_key_regex: str | None = None


def taking(before: str, after: str) -> str:
    """A regex for the text between two others."""
    return f"^{re.escape(before)}{_ANY}{re.escape(after)}$"


def loosened(setting: Setting) -> Setting:
    """The same options with the part that the sidecar's regex removes made optional, for sidecars without it."""
    parts = _around(setting.score_key_regex)
    if parts is None:
        return setting
    before, after = (f"(?:{part})?" if part else "" for part in parts)
    return replace(setting, score_key_regex=f"^{before}{_ANY}{after}$")


def combined(settings: Sequence[Setting]) -> list[Setting]:
    """One setting for several that differ only in the sidecar's regex; its regex removes what any of theirs removes."""
    alike: dict[Setting, list[tuple[str, str]]] = {}
    for setting in settings:
        parts = ("", "") if setting.score_key_regex is None else _around(setting.score_key_regex)
        if parts is not None:
            alike.setdefault(replace(setting, score_key_regex=None), []).append(parts)
    found = []
    for setting, around in alike.items():
        before, after = (_either(list(dict.fromkeys(each))) for each in zip(*around, strict=True))
        if len(set(around)) > 1:
            found.append(replace(setting, score_key_regex=f"^{before}{_ANY}{after}$"))
    return found


def _around(regex: str | None) -> tuple[str, str] | None:
    """The parts of a regex of `taking` before and behind the key."""
    parts = re.fullmatch(r"\^(.*)\(\.\+\?\)(.*)\$", regex or "", re.DOTALL)
    return None if parts is None else (parts[1], parts[2])


def _either(parts: Sequence[str]) -> str:
    held = sorted(filter(None, parts), key=lambda part: (-len(part), part))
    if not held:
        return ""
    optional = "?" if len(held) < len(parts) else ""
    return held[0] if len(held) == 1 and not optional else f"(?:{'|'.join(held)}){optional}"
