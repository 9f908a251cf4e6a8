"""Regular expressions of keys: RE2 syntax with exactly one group, the key."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import show


def regex_fault(pattern: str) -> str | None:
    """The fault of a key regex; None if it is RE2 syntax with exactly one group."""
    probe = pa.array(["a"])
    try:
        pc.match_substring_regex(probe, pattern)
        # RE2 checks the group numbers of a rewrite against the pattern: \1 must exist, \2 must not.
        pc.replace_substring_regex(probe, whole_key(pattern), r"\1")
    except (pa.ArrowInvalid, UnicodeEncodeError) as exc:
        reason = "it has no group" if "Rewrite schema" in str(exc) else str(exc).splitlines()[0]
        return f"found {show(pattern)}: {reason}; expected RE2 syntax with exactly one group, the key"
    try:
        pc.replace_substring_regex(probe, whole_key(pattern), r"\2")
    except pa.ArrowInvalid:
        return None
    return (
        f"found {show(pattern)}: it has more than one group; expected exactly one, the key "
        "(write the others as (?:...))"
    )


def whole_key(pattern: str) -> str:
    """`pattern` extended to the whole key, so that replacing its match by the group gives the group alone."""
    return rf"\A(?s:.*?)(?:{pattern})(?s:.*)\z"
