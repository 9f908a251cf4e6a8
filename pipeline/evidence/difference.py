"""A page of what changed between two batches, with a picture of how the scores of each scorer moved."""

from __future__ import annotations

from ..errors import UsageError, show
from ..report.comparison import Difference
from ..storage import filenames, writing
from ..storage.locations import Location
from .state import library_versions


def write_difference(path: Location, difference: Difference) -> None:
    """Write the page.

    :raises UsageError: a library of the extra `evidence` is not installed, or the path is not the name of a file.
    :raises OutputError: the page cannot be written.
    """
    library_versions()
    if not filenames.is_name(path):
        raise UsageError(f"--page: found {show(str(path))}; expected the name of a file")
    from .render.page import render_difference

    writing.write_whole(path, render_difference(difference))
