"""The provenance of a table or a report: digests, versions and arguments, which are equal for two equal runs.

The `run_provenance` block is `ai-run-provenance-v1`. It holds no time, host, user, process or absolute path:
paths are relative to the base folder. The path of the entry point is relative to the folder that contains the package.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import TypedDict

from pipeline.manifest.entries import TableEntry
from pipeline.records.versions import PACKAGE, SEMANTICS_VERSION, code_sha256, versions
from pipeline.storage import files, jsontext
from pipeline.storage.files import FileDescription
from pipeline.storage.jsontext import JsonObject

PROVENANCE_SCHEMA = "ai-run-provenance-v1"


class RunProvenance(TypedDict):
    """The `run_provenance` block of an audit or a report."""

    schema: str
    entrypoint: FileDescription
    argv: list[str]
    args: JsonObject
    inputs: dict[str, FileDescription]
    outputs: dict[str, FileDescription]
    versions: dict[str, str]
    code_sha256: str


def run_provenance(
    argv: Sequence[str],
    args: Mapping[str, object],
    inputs: Mapping[str, FileDescription],
    outputs: Mapping[str, FileDescription],
) -> RunProvenance:
    """The block for one run.

    :param argv: the canonical command that replays the run from the base folder.
    :param args: its arguments by name, JSON-safe.
    :param inputs: the files it read, by role.
    :param outputs: the files it wrote, by role, described after they were written.
    """
    return {
        "schema": PROVENANCE_SCHEMA,
        "entrypoint": _entrypoint(),
        "argv": list(argv),
        "args": dict(sorted(args.items())),
        "inputs": dict(sorted(inputs.items())),
        "outputs": dict(sorted(outputs.items())),
        "versions": versions(),
        "code_sha256": code_sha256(),
    }


def fingerprint(entry: TableEntry, input_digests: Mapping[str, str]) -> str:
    """The identity of a joined table: sha256 over its entry, its inputs' content and the join's semantics.

    :param input_digests: the sha256 of each input, by role.
    """
    identity = {
        "semantics": SEMANTICS_VERSION,
        "entry": entry.as_json(),
        "inputs": dict(input_digests),
    }
    return hashlib.sha256(jsontext.canonical(identity)).hexdigest()


@functools.cache
def _entrypoint() -> FileDescription:
    return files.describe(PACKAGE / "__main__.py", PACKAGE.parent)
