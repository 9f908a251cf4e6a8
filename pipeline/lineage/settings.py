"""Whether the OpenLineage client is configured, as the client itself would find it, but without importing it."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from ..storage import filenames

_FILE = "openlineage.yml"
_VARIABLES = ("OPENLINEAGE_URL", "OPENLINEAGE__TRANSPORT__TYPE", "OPENLINEAGE__TRANSPORT")


def is_configured() -> bool:
    """True if the client's environment variables or its file are there, and it is not disabled.

    Source: https://openlineage.io/docs/client/python#configuration
    """
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    if any(map(os.environ.get, _VARIABLES)):
        return True
    return any(map(filenames.is_file, _files(os.environ.get("OPENLINEAGE_CONFIG"), os.environ.get("HOME"))))


# A batch asks once per dependency, and making the paths takes longer than looking.
@functools.lru_cache(maxsize=1)
def _files(named: str | None, home: str | None) -> list[Path]:
    """Where the client looks for its file."""
    found = [Path(named)] if named else []
    return [*found, Path(_FILE), *([Path(home) / ".openlineage" / _FILE] if home else [])]


def namespace() -> str:
    """The namespace of jobs: OPENLINEAGE_NAMESPACE, as in other producers, or `default`."""
    return os.environ.get("OPENLINEAGE_NAMESPACE") or "default"
