"""Writing: files that appear whole or not at all, and files of the project's own.

::

    own ──▶ whole ──▶ newfiles     appending, removing, sweeping; several files together; one file that is being written
    spill ──▶ whole                files without a name, for what does not fit in memory
"""

from .newfiles import NewFile
from .own import append_line, clear, make_folder, open_own, remove, sweep
from .spill import Spill
from .whole import guarded, replacing, write_together, write_whole

__all__ = [
    "NewFile",
    "Spill",
    "append_line",
    "clear",
    "guarded",
    "make_folder",
    "open_own",
    "remove",
    "replacing",
    "sweep",
    "write_together",
    "write_whole",
]
