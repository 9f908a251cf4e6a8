"""The commands about reports: verify, cite, diff. They need neither the manifest nor the records of a batch."""

from __future__ import annotations

import json
import sys

import click

from ..errors import BatchError, count, listing
from . import flags
from .printing import ignoring_output_errors, print_result

_DIFF_EXIT_CODES = """
\b
Exit codes:
  0  equal      1  different      2  a report or a joined table cannot be used
"""


@click.command(epilog=flags.EXIT_CODES)
@click.argument("report", shell_complete=flags.file_names)
@click.option("--sha256", metavar="DIGEST", help="The digest under which the report is cited.")
@click.option(
    "--base-dir",
    help="Folder that the report's paths are relative to. Default: the one that the report names.",
)
def verify(report: str, sha256: str | None, base_dir: str | None) -> int:
    """Read all files that REPORT names, and compare them with it.

    \b
    Example:
      second-opinion verify manifests/demo.report.json
    """
    from ..report.verification import verify as verify_report

    verified = verify_report(report, sha256=sha256, base_dir=base_dir)
    if not verified.ok:
        faults = count(len(verified.faults), "fault")
        raise BatchError(listing(f"{report}: {faults}; the report cannot be relied on", verified.faults))
    print_result(f"{report}: {count(verified.files, 'file')} as reported\nsha256: {verified.sha256}")
    return 0


@click.command(epilog=flags.EXIT_CODES)
@click.argument("report", shell_complete=flags.file_names)
@click.option("--sha256", metavar="DIGEST", help="The digest under which the report is cited already.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "bibtex")),
    default="text",
    show_default=True,
    help="How it is written.",
)
def cite(report: str, sha256: str | None, form: str) -> int:
    """Print what a training job notes of the batch of REPORT: digest, tables, scorers, versions.

    \b
    Example:
      second-opinion cite manifests/demo.report.json --format bibtex
    """
    from ..report.citation import cite as cite_report

    citation = cite_report(report, sha256=sha256)
    written = {"text": citation.as_text, "json": citation.as_json, "bibtex": citation.as_bibtex}
    print_result(written[form]())
    return 0


@click.command(epilog=_DIFF_EXIT_CODES)
@click.argument("old", shell_complete=flags.file_names)
@click.argument("new", shell_complete=flags.file_names)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--page",
    metavar="FILE",
    help="Also write a page with a picture per scorer; it needs the extra `evidence`.",
    shell_complete=flags.file_names,
)
def diff(old: str, new: str, as_json: bool, page: str | None) -> int:
    """Show what changed from the batch of the report OLD to that of NEW, and how scores moved.

    \b
    Example:
      second-opinion diff manifests/demo.report.json manifests/demo.report.json
    """
    from rich.console import Console

    from ..report.comparison import diff as compare
    from . import console

    difference = compare(old, new)
    if page is not None:
        from ..evidence.difference import write_difference
        from ..storage import locations

        write_difference(locations.given(page), difference)
    if as_json:
        print_result(json.dumps(difference.as_json(), indent=2, ensure_ascii=False))
    else:
        with ignoring_output_errors(sys.stdout):
            console.summary_console(Console()).print(console.difference(difference))
    return 0 if difference.is_equal else BatchError.exit_code
