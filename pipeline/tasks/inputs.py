"""The inputs of tables, as tasks; something outside this project writes the files."""

from __future__ import annotations

import functools

import luigi

from ..storage import locations
from .targets import InputTarget


class InputFile(luigi.ExternalTask):
    """A feature table or a sidecar that something outside this project writes."""

    task_namespace = "second_opinion"

    path = luigi.Parameter(
        description="the file as the manifest names it; a pattern of a sidecar is one input"
    )
    base_dir = luigi.Parameter(description="folder of relative paths")

    @classmethod
    @functools.cache  # Luigi calls it four times per input, and reads all attributes of the class each time
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        """The parameters in order of declaration."""
        declared: list[tuple[str, luigi.Parameter]] = super().get_params()
        return declared

    def output(self) -> InputTarget:
        """The file, or all files that match the pattern."""
        return self._target

    @functools.cached_property
    def _target(self) -> InputTarget:
        return InputTarget(self.path, locations.given(self.base_dir))
