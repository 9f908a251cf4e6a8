"""How many examples the costly properties are tried with."""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("SECOND_OPINION_EXAMPLES", "150"))
"""Examples per property of the join. More are worth their time after a change of it."""
