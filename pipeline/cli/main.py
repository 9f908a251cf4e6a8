"""The command line: arguments in, exit code out; the only place that prints."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NoReturn

import click

from pipeline import __version__
from pipeline.cli import flags
from pipeline.errors import (
    BatchError,
    InputMissingError,
    SecondOpinionError,
    UsageError,
    count,
    listing,
    one_line,
    printable,
    show,
)
from pipeline.manifest.options import JoinOptions

if TYPE_CHECKING:
    from pipeline.manifest.batch import Batch

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command and end the process with its exit code; every error becomes its message here."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a log in ASCII holds any name, if only escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(
            args=argv if argv is None else list(argv), prog_name="second-opinion", standalone_mode=False
        )
    except SecondOpinionError as exc:
        code = _complain(str(exc), exc.exit_code)
    except click.ClickException as exc:
        code = _complain(one_line(exc.format_message()), UsageError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _complain("interrupted; nothing is half-written", INTERRUPTED)
    except OSError as exc:
        code = _last_resort(exc)
    for stream in filter(None, (sys.stdout, sys.stderr)):  # a closed one (`>&-`) is None
        with _printing(stream):
            stream.flush()
    sys.exit(code or 0)


def _last_resort(exc: OSError) -> int:
    """The exit code for help that nobody can read, a name too long for any file, an end whose terminal has gone."""
    if isinstance(exc.__context__, KeyboardInterrupt):
        return INTERRUPTED
    named = f"{os.fsdecode(exc.filename)}: " if isinstance(exc.filename, str | bytes) else ""
    return _complain(f"{named}{exc.strerror or exc}", BatchError.exit_code)


@contextlib.contextmanager
def _printing(stream: IO[str]) -> Iterator[None]:
    """Print in this block: that the reader has gone (`| head`), or a disk is full, changes no exit code."""
    try:
        yield
    except (OSError, SystemExit):  # rich would end the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # also for what Python flushes at its end


def _say(message: str) -> None:
    with _printing(sys.stdout):
        click.echo(printable(message))


def _complain(message: str, code: int) -> int:
    with _printing(sys.stderr):
        click.echo(f"second-opinion: {printable(message)}", err=True)
    return code


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
@flags.place_flags
@click.option("--fail-fast", is_flag=True, help="Begin no other table once one has failed.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that make tables."
)
@click.option(
    "--scheduler", metavar="URL", help="A luigid, such as http://127.0.0.1:8082. Default: none is needed."
)
def run(
    manifest: str, base_dir: str | None, report_json: str | None, report_md: str | None, **how: Any
) -> int:
    """Make what is missing or stale of the batch in MANIFEST, and its report.

    \b
    Example:
      second-opinion run manifests/demo.json --workers 2
    """
    from rich.console import Console

    from pipeline.cli import console
    from pipeline.manifest.batch import load_manifest
    from pipeline.tasks.run import run_batch

    batch = load_manifest(manifest, base_dir, report_json, report_md)
    with console.progress(Console(stderr=True), len(batch.tables)) as watch:
        result = run_batch(batch, watch=watch, **how)
    report = result.report
    with _printing(sys.stdout):
        console.summary_console(Console()).print(console.summary(report))
    for table in report["tables"]:
        if "error" in table:
            _complain(f"{table['id']}: {table['error']}", 0)
    for warning in (*console.warnings(report), *result.warnings):
        _complain(warning, 0)
    _say(f"report: {result.report_json} ({report['status']})\nsha256: {result.sha256}")
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
@click.option("--declare", metavar="JSON", help="What is known of scorers: a manifest's `scorers` object.")
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
    from pipeline.join.materialize import materialize
    from pipeline.records.materialized import covered_line, explain, explain_losses
    from pipeline.tasks.interruption import interruptible

    with interruptible():
        made = materialize(
            flags.feature_entry(features),
            [flags.score_entry(each) for each in scores],
            out,
            audit_json=audit_json,
            options=JoinOptions(**options),
            scorers=None if declare is None else flags.declared(declare),
        )
    for note in made.summary.get("notes", []):
        _complain(note, 0)
    for covered in made.summary["competitors"].values():
        _say(covered_line(covered))
        for line in explain(covered):
            _complain(f"{covered['competitor']}: {line}", 0)
    for line in explain_losses(made.summary):
        _complain(line, 0)
    _say(f"{out}: {count(made.summary['output_rows'], 'row')}, sha256 {made.outputs['out']['sha256']}")
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

    \b
    Example:
      second-opinion init corpora
      second-opinion check corpora/second-opinion.json --preview
      second-opinion run corpora/second-opinion.json
    """
    from pipeline.starter import write_starter

    started = write_starter(folder, out)
    _say("\n".join(started.messages))
    return 0


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@click.option("--preview", is_flag=True, help="Match all keys as a run would, and show counts and rows.")
def check(manifest: str, base_dir: str | None, preview: bool) -> int:
    """Validate MANIFEST and say which inputs are not there yet; writes nothing.

    \b
    Examples:
      second-opinion check manifests/demo.json
      second-opinion check manifests/demo.json --preview
    """
    from pipeline.manifest.batch import load_manifest

    batch = load_manifest(manifest, base_dir)
    _say(f"{manifest}: {count(len(batch.tables), 'table')}, no fault")
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

    from pipeline.cli import console
    from pipeline.join.preview import exit_code, preview_batch

    statuses = []
    for table in preview_batch(batch):
        with _printing(sys.stdout):
            console.summary_console(Console()).print(console.preview(table))
        if table.error is not None:
            _complain(f"{table.id}: {table.error}", 0)
        statuses.append(table.status)
    return exit_code(statuses)


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.place_flags
def status(manifest: str, base_dir: str | None, report_json: str | None, report_md: str | None) -> int:
    """Say of each table of MANIFEST whether it is complete, and if not, why; writes nothing.

    \b
    Example:
      second-opinion status manifests/demo.json
    """
    from pipeline.manifest.batch import load_manifest
    from pipeline.report.status import batch_status

    found = batch_status(load_manifest(manifest, base_dir, report_json, report_md))
    for table in found.tables:
        _say(_explained(f"{table.id}: {table.standing}", table.reasons))
    _say(_explained("report: " + ("stale" if found.report else "complete"), found.report))
    return found.exit_code


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.place_flags
@flags.evidence_flags
def audit(manifest: str, **how: Any) -> int:
    """Say what the joined tables of MANIFEST cover, and how their signals go with the label.

    \b
    Example:
      second-opinion audit manifests/demo.json
    """
    from pipeline.cli.evidence_lines import audit_lines

    return _give_evidence("audit", manifest, audit_lines, **how)


@cli.command(epilog=flags.EXIT_CODES)
@flags.manifest_argument
@flags.place_flags
@flags.evidence_flags
def impact(manifest: str, **how: Any) -> int:
    """Measure whether models that are given the scores of MANIFEST predict its labels better.

    \b
    Example:
      second-opinion impact manifests/demo.json --workers 2
    """
    from pipeline.cli.evidence_lines import impact_lines

    return _give_evidence("impact", manifest, impact_lines, **how)


def _give_evidence(
    kind: Literal["audit", "impact"],
    manifest: str,
    lines: Callable[[Mapping[str, Any]], Iterable[str]],
    base_dir: str | None,
    report_json: str | None,
    report_md: str | None,
    families: str | None,
    **how: Any,
) -> int:
    from pipeline.evidence.batch import give_evidence
    from pipeline.manifest.batch import load_manifest

    batch = load_manifest(manifest, base_dir, report_json, report_md)
    given = give_evidence(batch, kind, families=Path(families) if families else None, **how)
    for line in lines(given.document):
        _say(line)
    _say(f"{kind}: {given.paths[0]}\nsha256: {given.sha256}\npage: {given.paths[-1]}")
    return 0


@cli.command(epilog=flags.EXIT_CODES)
@click.argument("report", shell_complete=flags.file_names)
@click.option("--sha256", metavar="DIGEST", help="The digest under which the report is cited.")
@click.option(
    "--base-dir", help="Folder that the report's paths are relative to. Default: as the report says."
)
def verify(report: str, sha256: str | None, base_dir: str | None) -> int:
    """Read all files that REPORT names again, and compare them with it.

    \b
    Example:
      second-opinion verify manifests/demo.report.json
    """
    from pipeline.report.verification import verify as verify_report

    verified = verify_report(report, sha256=sha256, base_dir=base_dir)
    if not verified.ok:
        faults = count(len(verified.faults), "fault")
        raise BatchError(listing(f"{report}: {faults}; the report cannot be relied on", verified.faults))
    _say(f"{report}: {count(verified.files, 'file')} as reported\nsha256: {verified.sha256}")
    return 0


def _explained(headline: str, reasons: Sequence[str]) -> str:
    """`headline` with the reasons below it, indented with all their lines."""
    return "\n".join([headline, *reasons]).replace("\n", "\n    ")


if __name__ == "__main__":
    main()
