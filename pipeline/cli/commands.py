"""The commands: each turns its arguments into one call of the library, and prints what it returns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from .. import __version__
from ..errors import InputMissingError, count, exit_code, listing, show
from ..manifest.options import JoinOptions
from . import flags, report_commands
from .printing import ignoring_output_errors, print_message, print_result

if TYPE_CHECKING:
    from ..manifest.batch import Batch


@click.group(
    epilog=flags.EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="second-opinion")
def cli() -> None:
    """Join no-reference video-quality scores onto feature tables, with evidence.

    \b
    Examples:
      second-opinion check manifests/demo.json --preview
      second-opinion run manifests/demo.json --workers 2
      second-opinion join --features clips.parquet --scores dover=dover.jsonl --out joined.parquet
    """


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.report_flags
@click.option("--fail-fast", is_flag=True, help="Begin no other table once one has failed.")
@flags.luigi_flags("join")
def run(
    manifest: str, base_dir: str | None, report_json: str | None, report_md: str | None, **how: Any
) -> int:
    """Join the missing and stale tables of the batch in MANIFEST, and write its report.

    \b
    Example:
      second-opinion run manifests/demo.json --workers 2
    """
    from rich.console import Console

    from ..manifest.batch import load_manifest
    from ..tasks.run import run_batch
    from . import console

    batch = load_manifest(manifest, base_dir, report_json, report_md)
    with console.progress(Console(stderr=True), len(batch.tables)) as watch:
        result = run_batch(batch, watch=watch, **how)
    report = result.report
    with ignoring_output_errors(sys.stdout):
        console.summary_console(Console()).print(console.summary(report))
    for table in report["tables"]:
        if "error" in table:
            print_message(f"{table['id']}: {table['error']}")
    for warning in (*console.warnings(report), *result.warnings):
        print_message(warning)
    print_result(f"report: {result.report_json} ({report['status']})\nsha256: {result.sha256}")
    return result.exit_code


@cli.command(epilog=flags.EXIT_CODES)
@click.option(
    "--features",
    required=True,
    metavar="PATH",
    help="The feature table, or a manifest's object in JSON.",
    shell_complete=flags.file_names,
)
@click.option(
    "--scores",
    required=True,
    multiple=True,
    metavar="[LABEL=]PATH",
    help="A sidecar, or a manifest's object in JSON. Repeatable.",
    shell_complete=flags.file_names,
)
@click.option(
    "--out",
    required=True,
    help="The joined table; its extension decides the format.",
    shell_complete=flags.file_names,
)
@click.option("--audit-json", help="The table's audit. Default: none.", shell_complete=flags.file_names)
@click.option("--declare", metavar="JSON", help="Declarations about scorers: a manifest's `scorers` object.")
@flags.memory_flag
@flags.join_flags
def join(
    features: str,
    scores: Sequence[str],
    out: str,
    audit_json: str | None,
    declare: str | None,
    **options: Any,
) -> int:
    """Join one table, without a manifest.

    \b
    Example:
      second-opinion join --features clips.parquet --scores dover=dover.jsonl \\
          --out joined.parquet --missing-policy mark
    """
    from ..join.materialize import materialize
    from ..records.materialized import covered_line, explain, explain_losses
    from ..tasks.interruption import interruptible

    with interruptible():
        joined = materialize(
            flags.feature_entry(features),
            [flags.score_entry(each) for each in scores],
            out,
            audit_json=audit_json,
            options=JoinOptions(**options),
            scorers=None if declare is None else flags.declared(declare),
        )
    for note in joined.summary.get("notes", []):
        print_message(note)
    for covered in joined.summary["competitors"].values():
        print_result(covered_line(covered))
        for line in explain(covered):
            print_message(f"{covered['competitor']}: {line}")
    for line in explain_losses(joined.summary):
        print_message(line)
    print_result(
        f"{out}: {count(joined.summary['output_rows'], 'row')}, sha256 {joined.outputs['out']['sha256']}"
    )
    return 0


@cli.command(epilog=flags.EXIT_CODES)
@click.argument("folder", metavar="DIR", shell_complete=flags.folder_names)
@click.option(
    "--out",
    help="The manifest to write. Default: second-opinion.json in DIR.",
    shell_complete=flags.file_names,
)
def init(folder: str, out: str | None) -> int:
    """Write a first manifest for the feature tables and sidecars in DIR, to be edited and run.

    It also proposes what evidence to ask for, by the columns of each table. Lines with `decide:` are questions.

    \b
    Example:
      second-opinion init corpora
      second-opinion check corpora/second-opinion.json --preview
      second-opinion run corpora/second-opinion.json
    """
    from ..starter import write_starter

    started = write_starter(folder, out)
    print_result("\n".join(started.messages))
    return 0


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@click.option("--preview", is_flag=True, help="Match all keys as a run would, and show counts and rows.")
def check(manifest: str, base_dir: str | None, preview: bool) -> int:
    """Validate MANIFEST and list the inputs that do not exist yet; writes nothing.

    \b
    Examples:
      second-opinion check manifests/demo.json
      second-opinion check manifests/demo.json --preview
    """
    from ..manifest.batch import load_manifest

    batch = load_manifest(manifest, base_dir)
    print_result(f"{manifest}: {count(len(batch.tables), 'table')}, no fault")
    if preview:
        return _preview(batch)
    missing = [
        f"{table.id}.{field}: {show(name)}"
        for table in batch.tables
        for field, name in table.missing(batch.base_dir)
    ]
    if missing:
        raise InputMissingError(listing("inputs that are not there yet", missing))
    return 0


def _preview(batch: Batch) -> int:
    from rich.console import Console

    from ..join.preview import preview_batch
    from . import console

    statuses = []
    for table in preview_batch(batch):
        with ignoring_output_errors(sys.stdout):
            console.summary_console(Console()).print(console.preview(table))
        if table.error is not None:
            print_message(f"{table.id}: {table.error}")
        statuses.append(table.status)
    return exit_code(statuses)


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.report_flags
def status(manifest: str, base_dir: str | None, report_json: str | None, report_md: str | None) -> int:
    """Show of each table of MANIFEST whether it is complete, and if not, why; writes nothing.

    \b
    Example:
      second-opinion status manifests/demo.json
    """
    from ..manifest.batch import load_manifest
    from ..report.status import batch_status

    found = batch_status(load_manifest(manifest, base_dir, report_json, report_md))
    for table in found.tables:
        print_result(_explained(f"{table.id}: {table.state}", table.reasons))
    print_result(_explained("report: " + ("stale" if found.report else "complete"), found.report))
    return found.exit_code


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.report_flags
@flags.evidence_flags
def audit(manifest: str, **how: Any) -> int:
    """Describe what the joined tables of MANIFEST cover, and how their signals correlate with the label.

    \b
    Example:
      second-opinion audit manifests/demo.json
    """
    from .evidence_lines import audit_lines

    return _write_evidence("audit", manifest, audit_lines, **how)


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.report_flags
@click.option(
    "--full",
    is_flag=True,
    help="Also train on fewer contents, and on one table to test another; takes longer.",
)
@flags.evidence_flags
def impact(manifest: str, **how: Any) -> int:
    """Measure whether models that are given the scores of MANIFEST predict its labels better.

    \b
    Examples:
      second-opinion impact manifests/demo.json --workers 2
      second-opinion impact manifests/demo.json --full
    """
    from .evidence_lines import impact_lines

    return _write_evidence("impact", manifest, impact_lines, **how)


def _write_evidence(
    kind: Literal["audit", "impact"],
    manifest: str,
    lines: Callable[[Mapping[str, Any]], Iterable[str]],
    base_dir: str | None,
    report_json: str | None,
    report_md: str | None,
    families: str | None,
    **how: Any,
) -> int:
    from ..evidence.batch import give_evidence
    from ..manifest.batch import load_manifest
    from ..storage import locations

    batch = load_manifest(manifest, base_dir, report_json, report_md)
    given = give_evidence(batch, kind, families=locations.given(families) if families else None, **how)
    for line in lines(given.document):
        print_result(line)
    print_result(f"{kind}: {given.paths[0]}\nsha256: {given.sha256}\npage: {given.paths[-1]}")
    return 0


def _explained(headline: str, reasons: Sequence[str]) -> str:
    """`headline` with the reasons below it, indented with all their lines."""
    return "\n".join([headline, *reasons]).replace("\n", "\n    ")


for command in (report_commands.verify, report_commands.cite, report_commands.diff):
    cli.add_command(command)
