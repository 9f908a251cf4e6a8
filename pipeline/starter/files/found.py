"""The feature tables and sidecars that were found below a folder, before their keys are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...join.tables import FeatureTable, open_table
from ...manifest.entries import SidecarEntry
from ...storage.dialect import UNSET, TextSettings
from ...storage.locations import Location
from .inspection import Finding
from .names import scorer_name
from .samples import Texts


@dataclass(frozen=True)
class Features:
    """A feature table that was found.

    Attributes:
        name: the file, relative to the folder.
        finding: its kind, and the reason.
        texts: possible keys in its first rows.
        text: the settings of delimited text that an entry needs.
    """

    name: str
    finding: Finding
    texts: Texts
    text: TextSettings = UNSET

    def open(self, folder: Location, key_column: str | None) -> FeatureTable:
        """Open the table.

        :raises BatchError: it cannot be read.
        """
        return open_table(folder / self.name, key_column, self.text)

    def notes(self) -> list[str]:
        """Notes on how it is read."""
        return text_notes(self.text)


@dataclass(frozen=True)
class Sidecar:
    """A sidecar that was found: a file, or a pattern of files.

    Attributes:
        name: the file or pattern, relative to the folder.
        finding: its kind, and the reason.
        label: a name for its scorer, if its folders are a better source than the name of the file.
        text: the settings of delimited text that an entry needs.
    """

    name: str
    finding: Finding
    label: str | None = None
    text: TextSettings = UNSET

    def entries(self) -> Iterator[SidecarEntry]:
        """The possible entries: one for each way to name the clip, best first."""
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
    """Notes on how delimited text is read."""
    return [f"columns {', '.join(text.columns)}: the file has no header"] if text.columns else []
