"""Join no-reference video-quality scores onto feature tables, with evidence a training job can cite.

One manifest lists the tables of a batch. Each is a Luigi task whose target is the joined table; a BatchReport
task requires them all and writes one provenance report. As a library::

    from pipeline import materialize
    materialize("chug.parquet", ["dover=dover.jsonl"], "joined/chug.parquet")

The rooms, from top to bottom. A room imports from itself and from the rooms below it only::

    cli         arguments in, exit code out; the only room that prints
    evidence    what joined tables cover and what scores are worth; an extra
    starter     a folder of files -> its first manifest
    tasks       Luigi: the tasks of a batch, their targets, running them
    lineage     what happened, as OpenLineage events; only if asked for
    report      the batch in one document; freshness, status, verification
    join        one table: sidecars + features -> joined table and audit
    records     receipts, snapshots, provenance of what was built
    manifest    JSON -> a frozen, checked batch
    storage     where bytes are: files, digests, locks, text, JSON
    errors      every error that a user can cause
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from . import alias

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .errors import SecondOpinionError
    from .evidence.tasks import RetrainImpact, SignalMixAudit
    from .join.frames import join_frame
    from .join.materialize import materialize
    from .manifest.batch import load_manifest
    from .manifest.options import JoinOptions
    from .report.citation import cite
    from .report.comparison import diff
    from .report.opened import open_batch
    from .report.status import batch_status
    from .report.verification import verify
    from .tasks.graph import BatchReport, JoinedTable
    from .tasks.inputs import InputFile
    from .tasks.run import run_batch

__all__ = [
    "BatchReport",
    "InputFile",
    "JoinOptions",
    "JoinedTable",
    "RetrainImpact",
    "SecondOpinionError",
    "SignalMixAudit",
    "__version__",
    "batch_status",
    "cite",
    "diff",
    "join_frame",
    "load_manifest",
    "materialize",
    "open_batch",
    "run_batch",
    "verify",
]

_HOMES = {
    "BatchReport": ".tasks.graph",
    "InputFile": ".tasks.inputs",
    "JoinOptions": ".manifest.options",
    "JoinedTable": ".tasks.graph",
    "RetrainImpact": ".evidence.tasks",
    "SecondOpinionError": ".errors",
    "SignalMixAudit": ".evidence.tasks",
    "batch_status": ".report.status",
    "cite": ".report.citation",
    "diff": ".report.comparison",
    "join_frame": ".join.frames",
    "load_manifest": ".manifest.batch",
    "materialize": ".join.materialize",
    "open_batch": ".report.opened",
    "run_batch": ".tasks.run",
    "verify": ".report.verification",
}


def __getattr__(name: str) -> object:
    # Imported when first used: `--help` must not wait for pyarrow and luigi.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


alias.install(__name__)

if "luigi" in sys.modules:
    # `luigi --module pipeline` imports this package to find the tasks; nothing else waits for them.
    from .evidence import tasks as _tasks  # noqa: F401  # imported for what it registers, and below it tasks.graph
