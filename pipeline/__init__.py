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

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pipeline.errors import SecondOpinionError
    from pipeline.evidence.tasks import RetrainImpact, SignalMixAudit
    from pipeline.join.frames import join_frame
    from pipeline.join.materialize import materialize
    from pipeline.manifest.batch import load_manifest
    from pipeline.manifest.options import JoinOptions
    from pipeline.report.citation import cite
    from pipeline.report.comparison import diff
    from pipeline.report.opened import open_batch
    from pipeline.report.status import batch_status
    from pipeline.report.verification import verify
    from pipeline.tasks.graph import BatchReport, JoinedTable
    from pipeline.tasks.inputs import InputFile
    from pipeline.tasks.run import run_batch

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
    "BatchReport": "pipeline.tasks.graph",
    "InputFile": "pipeline.tasks.inputs",
    "JoinOptions": "pipeline.manifest.options",
    "JoinedTable": "pipeline.tasks.graph",
    "RetrainImpact": "pipeline.evidence.tasks",
    "SecondOpinionError": "pipeline.errors",
    "SignalMixAudit": "pipeline.evidence.tasks",
    "batch_status": "pipeline.report.status",
    "cite": "pipeline.report.citation",
    "diff": "pipeline.report.comparison",
    "join_frame": "pipeline.join.frames",
    "load_manifest": "pipeline.manifest.batch",
    "materialize": "pipeline.join.materialize",
    "open_batch": "pipeline.report.opened",
    "run_batch": "pipeline.tasks.run",
    "verify": "pipeline.report.verification",
}


def __getattr__(name: str) -> object:
    # Imported when first used: `--help` must not wait for pyarrow and luigi.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if "luigi" in sys.modules:
    # `luigi --module pipeline` imports this package to find the tasks; nothing else waits for them.
    import pipeline.evidence.tasks  # noqa: F401  # imported for what it registers, and below it pipeline.tasks.graph
