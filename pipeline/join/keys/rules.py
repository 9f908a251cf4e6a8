"""Which column is the key, how keys are normalised, and which keys of two sides do not match.

Keys are text on both sides. The rules work on whole Arrow columns, the same functions for feature tables
and sidecars, so the two sides cannot drift apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...manifest.field_paths import KEY_SEPARATOR
from ...manifest.options import KeyNormalize
from ...manifest.regexes import whole_key

CANDIDATES = (
    "clip_id",
    "video_id",
    "chug_video_id",
    "content_id",
    "file_name",
    "filename",
    "basename",
    "name",
    "distorted_path",
    "dis_path",
    "path",
)
"""Column and field names taken as the key where none is set, best first; letter case is ignored."""

MAX_KEYS_SHOWN = 5
_SLICE_ROWS = 1 << 18
_WITHOUT_DECIMALS = r"^([+-]?[0-9]+)\.0+$"
_PATH_WORDS = ("path", "file", "name")
# A last dot and 1 to 5 letters or digits, at least one a letter (RE2 cannot look ahead, so the first
# letter's position is spelled out), or a codec's number: `.mp4`, `.7z`, `.264`, but not the `.0` of `t_20.0`.
_EXTENSION = (
    r"\.(?:26[456]|[A-Za-z][A-Za-z0-9]{0,4}|[0-9][A-Za-z][A-Za-z0-9]{0,3}|[0-9]{2}[A-Za-z][A-Za-z0-9]{0,2}"
    r"|[0-9]{3}[A-Za-z][A-Za-z0-9]?|[0-9]{4}[A-Za-z])\z"
)


def pick(columns: Sequence[str]) -> str | None:
    """The best key candidate among `columns`, or None."""
    by_lower: dict[str, str] = {}
    for column in columns:
        if column == column.lower():
            by_lower[column] = column
        else:
            by_lower.setdefault(column.lower(), column)
    return next((by_lower[name] for name in CANDIDATES if name in by_lower), None)


def text(value: object) -> str | None:
    """A key's text: digits for an integer or an integral float, plain text for another scalar.

    None, NaN, lists and objects have none.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() | Decimal():
            if math.isnan(value):
                return None
            return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
        case _:
            return None


def texts(column: pa.Array) -> pa.Array:
    """An Arrow column of any scalar type as key texts (string), null where a value has no text.

    :raises pa.ArrowException: the type is nested or otherwise has no text.
    """
    column = stored(column)
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        # Python's text of a float is the sidecars' text of it; Arrow's is not (`1e-7`, `1e-07`).
        return pa.array([text(value) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def stored(column: pa.Array) -> pa.Array:
    """A column as plain values: of a dictionary, of runs, of what an extension type stores; a UUID as its text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return stored(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return stored(pc.run_end_decode(column))
    if isinstance(kind, pa.UuidType):
        return _uuid_texts(column.storage)
    if isinstance(kind, pa.Bool8Type):
        return column.storage.cast(pa.bool_())
    if isinstance(kind, pa.BaseExtensionType):
        return stored(column.storage)
    return column


def _uuid_texts(column: pa.Array) -> pa.Array:
    """The usual spelling of UUIDs (16 bytes each): lower case, with hyphens."""
    present = column.drop_null()
    digits = np.frombuffer(b"".join(present.to_pylist()).hex().encode("ascii"), np.uint8).reshape(-1, 32)
    spelled = np.insert(digits, [8, 12, 16, 20], ord("-"), axis=1)
    texts = pa.array(spelled.view("S36").ravel().astype("U36"), pa.string())
    valid = column.is_valid()
    ranks = pc.subtract(pc.cumulative_sum(valid.cast(pa.int64())), 1)
    return texts.take(pc.if_else(valid, ranks, pa.scalar(None, pa.int64())))


def composite(parts: Sequence[pa.Array]) -> pa.Array:
    """Composite keys (string) of columns of texts, null where a part is null; of one column its texts as they are.

    The first part names the clip. The others have no separator, so that no two keys become the same.
    """
    first, *further = parts
    if not further:
        return first
    sound = (
        pc.if_else(pc.match_substring(part, KEY_SEPARATOR), pa.scalar(None, pa.string()), part)
        for part in further
    )
    return pc.binary_join_element_wise(first, *sound, KEY_SEPARATOR)


@dataclass(frozen=True)
class KeyRule:
    """How the keys of one side become comparable.

    Attributes:
        mode: `raw`, `basename` or `stem`.
        regex: RE2 expression whose one group is the key, applied last; None: not applied.
        parts: of how many parts a key is; `mode` and `regex` are for the first of them, which names the clip.
    """

    mode: KeyNormalize
    regex: str | None = None
    parts: int = 1

    @classmethod
    def of(cls, normalize: KeyNormalize, name: str, regex: str | None) -> KeyRule:
        """The rule for keys of the column or field `name`, or for composite keys of several."""
        first, *further = name.split(KEY_SEPARATOR)
        if normalize == "auto":
            is_path = any(word in first.lower() for word in _PATH_WORDS)
            normalize = "basename" if is_path else "raw"
        return cls(normalize, regex, 1 + len(further))

    @property
    def spelled(self) -> KeyRule:
        """The rule that keeps all keys apart that are not spelled alike."""
        return replace(self, mode="raw", regex=None)

    @property
    def plain(self) -> KeyRule:
        """The rule without its regex."""
        return replace(self, regex=None)

    def apply(self, keys: pa.Array) -> pa.Array:
        """The comparable keys (string): null where the key is null, empty or not matched by the regex.

        Works on a slice of the keys at a time, because each step copies its keys.
        """
        starts = range(0, max(1, len(keys)), _SLICE_ROWS)
        return pa.concat_arrays([self._apply(keys.slice(start, _SLICE_ROWS)) for start in starts])

    def _apply(self, keys: pa.Array) -> pa.Array:
        if self.parts == 1:
            return self._comparable(keys)
        split = pc.split_pattern(keys, KEY_SEPARATOR, max_splits=self.parts - 1, reverse=True)
        first, *further = (pc.list_element(split, at) for at in range(self.parts))
        return composite([self._comparable(first), *map(_further, further)])

    def _comparable(self, keys: pa.Array) -> pa.Array:
        keys = _in_nfc(pc.utf8_trim_whitespace(keys))
        if self.mode != "raw":
            keys = basenames(keys)
        if self.mode == "stem":
            keys = pc.replace_substring_regex(keys, _EXTENSION, "")
        if self.regex is not None:
            matched = pc.match_substring_regex(keys, self.regex)
            found = pc.replace_substring_regex(keys, whole_key(self.regex), r"\1")
            keys = pc.if_else(matched, found, pa.scalar(None, pa.string()))
        return _without_empty(keys)


def _further(parts: pa.Array) -> pa.Array:
    """Further parts of composite keys: `12.0` is `12`, since a table of floats and one of integers mean the same."""
    trimmed = _in_nfc(pc.utf8_trim_whitespace(parts))
    return _without_empty(pc.replace_substring_regex(trimmed, _WITHOUT_DECIMALS, r"\1"))


def _without_empty(keys: pa.Array) -> pa.Array:
    """The keys, null where there is nothing in one."""
    return pc.if_else(pc.equal(keys, ""), pa.scalar(None, pa.string()), keys)


def _in_nfc(keys: pa.Array) -> pa.Array:
    """The keys in Unicode's NFC: some systems write `é` as one character, some as two."""
    content = keys.buffers()[2]
    is_ascii = content is None or content.to_pybytes().isascii()  # a quarter of the time of the rest
    return keys if is_ascii else pc.utf8_normalize(keys, form="NFC")


def basenames(keys: pa.Array) -> pa.Array:
    """The part of each key after its last `/`. (A regular expression takes twice the time.)"""
    present = keys.drop_null()
    parts = pc.split_pattern(present, "/", max_splits=1, reverse=True)
    ends = parts.offsets.slice(1)
    names = parts.values.take(pc.subtract(ends, pa.scalar(1, ends.type)))
    return names if len(present) == len(keys) else pc.replace_with_mask(keys, keys.is_valid(), names)


@dataclass(frozen=True)
class Side:
    """The keys of one side as its file spells them, for messages about keys that do not match.

    They are seldom needed, and they take more memory than the rest of the join. So they are read again.

    Attributes:
        name: the column or field that holds them; of composite keys all names, see `KEY_SEPARATOR`.
        regex: the side's key regex.
        pieces: reads the keys (string), some at a time; no rule is applied.
    """

    name: str
    regex: str | None
    pieces: Callable[[], Iterable[pa.Array]]

    def read(self) -> pa.Array:
        """All keys (string); no rule is applied."""
        return pa.chunked_array(self.pieces(), pa.string()).combine_chunks()

    def under(self, normalize: KeyNormalize) -> pa.Array:
        """The comparable keys if the table's `key_normalize` were `normalize`."""
        return KeyRule.of(normalize, self.name, self.regex).apply(self.read())


def examples(pieces: Iterable[pa.Array], unmet: pa.Array) -> list[str]:
    """The first five distinct keys of the pieces (string) at which `unmet` (bool) is true; null is no key."""
    shown: list[str] = []
    start = 0
    for piece in pieces:
        some = piece.filter(unmet.slice(start, len(piece))).drop_null().unique()
        shown += [key for key in some[: 2 * MAX_KEYS_SHOWN].to_pylist() if key not in shown]
        start += len(piece)
        if len(shown) >= MAX_KEYS_SHOWN:
            break
    return shown[:MAX_KEYS_SHOWN]


def rows_but_for_case(unmatched: pa.Array, spare: pa.Array) -> int:
    """How many unmatched feature rows have a key that differs from that of a spare score only in letter case.

    :param unmatched: comparable keys of rows without a score (string), null where a row has no key.
    :param spare: comparable keys of scores that no row has (string).
    """
    if not len(unmatched) or not len(spare):
        return 0
    folded = pc.is_in(pc.utf8_lower(unmatched), pc.utf8_lower(spare), skip_nulls=True)
    return int(folded.true_count)
