"""Keys: which column they are, what makes two of them the same, and where one is among others.

::

    rules      a key as its file spells it -> as it is compared
    finding    keys among others ──▶ hashes
"""

from .finding import Wanted, find
from .rules import (
    CANDIDATES,
    MAX_KEYS_SHOWN,
    KeyRule,
    Side,
    basenames,
    composite,
    examples,
    pick,
    rows_but_for_case,
    stored,
    text,
    texts,
)

__all__ = [
    "CANDIDATES",
    "MAX_KEYS_SHOWN",
    "KeyRule",
    "Side",
    "Wanted",
    "basenames",
    "composite",
    "examples",
    "find",
    "pick",
    "rows_but_for_case",
    "stored",
    "text",
    "texts",
]
