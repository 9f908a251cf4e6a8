"""Keys: their text, their normal form, the group of a regular expression."""

from __future__ import annotations

import math
import re
import unicodedata


def text(value: object) -> str | None:
    """A key as text; None for what is no key."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, str | int):
        return str(value)
    return None


def comparable(raw: str | None, field: str, normalize: str, regex: str | None) -> str | None:
    """A key as it is compared; None if nothing is left to compare."""
    if raw is None:
        return None
    key = spelled(raw)
    if normalize == "auto":
        normalize = "basename" if any(word in field.lower() for word in ("path", "file", "name")) else "raw"
    if normalize in ("basename", "stem"):
        key = key.split("/")[-1]
    if normalize == "stem":
        key = without_extension(key)
    if regex is not None:
        found = re.search(regex, key, re.ASCII)
        key = (found[1] or "") if found else ""
    return key or None


def spelled(raw: str) -> str:
    """A key without blanks around it, in Unicode's NFC."""
    return unicodedata.normalize("NFC", raw.strip())


def without_extension(name: str) -> str:
    """A file's name without what follows its last dot, if that looks like an extension."""
    before, dot, after = name.rpartition(".")
    if not dot or not re.fullmatch("[A-Za-z0-9]{1,5}", after):
        return name
    is_extension = re.search("[A-Za-z]", after) or after in ("264", "265", "266")
    return before if is_extension else name


def regex_is_usable(regex: str) -> bool:
    """Whether it is a regular expression with exactly one group."""
    try:
        return re.compile(regex).groups == 1
    except re.error:
        return False
