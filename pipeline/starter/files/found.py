"""The feature tables and sidecars that were found below a folder, before their keys are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.join.tables import FeatureTable, open_table
from pipeline.manifest.entries import SidecarEntry
from pipeline.starter.files.inspection import Finding
from pipeline.starter.files.names import scorer_name
from pipeline.starter.files.samples import Texts
from pipeline.storage.dialect import UNSET, TextSettings


@dataclass(frozen=True)
class Features:
    """A file taken for a feature table.

    Attributes:
        name: the file, relative to the folder.
        finding: what it was taken for, and why.
        texts: what may be a key, in its first rows.
        text: the settings that an entry needs, if it is delimited text.
    """

    name: str
    finding: Finding
    texts: Texts
    text: TextSettings = UNSET

    def open(self, folder: Path, key_column: str | None) -> FeatureTable:
        """The table.

        :raises BatchError: it cannot be read.
        """
        return open_table(folder / self.name, key_column, self.text)

    def notes(self) -> list[str]:
        """Why it is read like this."""
        return text_notes(self.text)


@dataclass(frozen=True)
class Sidecar:
    """A file, or a pattern of files, taken for a sidecar.

    Attributes:
        name: the file or pattern, relative to the folder.
        finding: what it was taken for, and why.
        label: a name for its scorer, if its path says more than the name of a file does.
        text: the settings that an entry needs, if it is delimited text.
    """

    name: str
    finding: Finding
    label: str | None = None
    text: TextSettings = UNSET

    def entries(self) -> Iterator[SidecarEntry]:
        """The entries that may be meant: one for each way to name the clip, best first."""
        found = self.finding
        entry = SidecarEntry(
            path=self.name,
            label=None if found.scorers else self.label or scorer_name(self.name),
            score_field=found.score_field,
            score_fields=found.score_fields,
            text=self.text,
        )
        if found.by_file:
            yield replace(entry, key_from="file")
        yield from (replace(entry, key_field=name) for name in found.key_columns)


def text_notes(text: TextSettings) -> list[str]:
    """Why delimited text is read like this."""
    return [f"columns {', '.join(text.columns)}: the file has no header"] if text.columns else []
