"""The code that built a table: versions of the join's semantics and of libraries, and a digest of the sources."""

from __future__ import annotations

import functools
from importlib import metadata
from pathlib import Path

from .. import __version__
from ..storage import files

SEMANTICS_VERSION = 4
"""Version of the join's semantics. It is raised if the same inputs and options give different bytes."""

PACKAGE = Path(__file__).parents[1]
_LIBRARIES = ("luigi", "pandas", "pyarrow")
_SOURCES = ("*.py", "*.json", "*.j2", "*.css", "*.js")


@functools.cache
def versions() -> dict[str, str]:
    """The versions that decide a table's bytes: this project's, and those of luigi, pandas and pyarrow."""
    return {"second-opinion": __version__} | {name: metadata.version(name) for name in _LIBRARIES}


@functools.cache
def code_sha256() -> str:
    """sha256 over the package's source files: sorted lines of `path NUL sha256 LF`."""
    return files.digest_below(PACKAGE, _SOURCES)
