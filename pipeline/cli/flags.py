"""The flags of the commands: those that several share, shell completion, and the parsing of values."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..errors import UsageError, listing
from ..manifest.options import OPTIONS, Option
from ..storage.jsontext import JsonObject

Command = TypeVar("Command", bound=Callable[..., Any])
EXIT_CODES = """
\b
Exit codes:
  0  complete                     3  an input is not there yet
  1  a table failed               4  another run holds this batch
  2  unusable manifest/arguments  130  interrupted
"""
"""The end of every command's help."""

_BASE_DIR = "Folder that the manifest's paths are relative to. Default: the manifest's."
_REPORT_FLAGS = {
    "--report-json": "The report. Default: <manifest stem>.report.json beside the manifest.",
    "--report-md": "The report as Markdown. Default: the report's name with .md.",
}


def file_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have the shell complete a file's name."""
    return [CompletionItem(incomplete, type="file")]


def folder_names(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Have the shell complete a folder's name."""
    return [CompletionItem(incomplete, type="dir")]


def manifest_argument(command: Command) -> Command:
    """The manifest, and the folder that its paths are relative to."""
    command = click.option("--base-dir", help=_BASE_DIR, shell_complete=folder_names)(command)
    return click.argument("manifest", shell_complete=file_names)(command)


def report_flags(command: Command) -> Command:
    """The flags for the paths of a batch's report."""
    for flag, text in reversed(_REPORT_FLAGS.items()):
        command = click.option(flag, help=text, shell_complete=file_names)(command)
    return command


def luigi_flags(verb: str) -> Callable[[Command], Command]:
    """The flags of the commands that run tasks.

    :param verb: what the processes do with tables.
    """

    def flagged(command: Command) -> Command:
        command = click.option(
            "--assume-single-writer",
            is_flag=True,
            expose_value=False,
            callback=_assume_single_writer,
            help="No other run uses this batch: its store may lack conditional writes.",
        )(command)
        command = click.option(
            "--scheduler",
            metavar="URL",
            help="A luigid, such as http://127.0.0.1:8082. Default: none is needed.",
        )(command)
        command = memory_flag(command)
        return click.option(
            "--workers",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help=f"Processes that {verb} tables.",
        )(command)

    return flagged


def memory_flag(command: Command) -> Command:
    """The flag for the memory that the join of a table may take."""
    return click.option(
        "--memory",
        metavar="SIZE",
        expose_value=False,
        callback=_set_memory,
        help="Memory for the join of one table, such as 4GB. Default: three quarters of all, divided by the workers.",
    )(command)


def _set_memory(_context: click.Context, _parameter: click.Parameter, given: str | None) -> None:
    """Limit the memory of joins in this process and those that it starts."""
    if given:
        from ..join.large import budget

        budget.parsed(given)
        os.environ[budget.ENVIRONMENT] = given


def _assume_single_writer(_context: click.Context, _parameter: click.Parameter, is_given: bool) -> None:
    """Hold no lock in a store, in this process and those that it starts."""
    if is_given:
        from ..storage.shared.lease import SINGLE_WRITER

        os.environ[SINGLE_WRITER] = "1"


def evidence_flags(command: Command) -> Command:
    """The flags of the commands that write evidence."""
    families = click.option(
        "--families", metavar="FILE", help="Families of signals. Default: the package's own."
    )
    return luigi_flags("evaluate")(families(command))


def join_flags(command: Command) -> Command:
    """The flags of the join options, as `JoinOptions` declares them."""
    for option in reversed(OPTIONS):
        command = _flag(option)(command)
    return command


def score_entry(given: str) -> str | Mapping[str, Any]:
    """A `--scores` value: `[LABEL=]PATH`, or the object a manifest may hold, as JSON.

    :raises UsageError: it begins with `{` and is not a valid object.
    """
    return _entry("--scores", given, "score_entry", "[LABEL=]PATH or a JSON object")


def feature_entry(given: str) -> str | Mapping[str, Any]:
    """A `--features` value: a path, or the object a manifest may hold, as JSON.

    :raises UsageError: it begins with `{` and is not a valid object.
    """
    return _entry("--features", given, "feature_entry", "a path or a JSON object")


def declared(given: str) -> Mapping[str, Any]:
    """A `--declare` value: the object that a manifest's `scorers` may hold, as JSON.

    :raises UsageError: it is not a valid object.
    """
    from ..storage.schema import load_schema

    manifest = load_schema("manifest")
    schema = {**manifest["properties"]["scorers"], "$defs": manifest["$defs"]}
    return _parsed(f"--declare {given}", given, schema, "a JSON object")


def _entry(flag: str, given: str, name: str, expected: str) -> str | Mapping[str, Any]:
    from ..storage import filenames, locations

    if not given.startswith("{") or filenames.is_file(locations.given(given)):
        return given
    from ..storage.schema import load_schema

    definitions = load_schema("manifest")["$defs"]
    schema = {**definitions[name], "$defs": definitions}
    return _parsed(f"{flag} {given}", given, schema, expected)


def _parsed(flag: str, given: str, schema: JsonObject, expected: str) -> Mapping[str, Any]:
    from ..storage import jsontext
    from ..storage.schema import schema_faults

    try:
        value: Mapping[str, Any] = jsontext.parse(given)
    except ValueError as exc:
        raise UsageError(f"{flag}: {exc}; expected {expected}") from exc
    if faults := list(schema_faults(value, schema)):
        raise UsageError(listing(f"{flag}: cannot be used", faults))
    return value


def _flag(option: Option) -> Callable[[Command], Command]:
    shown = option.default not in (None, False)
    if option.choices is not None:
        return click.option(
            option.flag,
            type=click.Choice(option.choices),
            default=option.default,
            show_default=True,
            help=option.help,
        )
    if option.type_name == "boolean":
        return click.option(option.flag, is_flag=True, default=option.default, help=option.help)
    if option.is_list:
        return click.option(
            option.flag,
            multiple=True,
            default=option.default,
            help=f"{option.help} Repeat the flag for each.",
        )
    kind = float if option.type_name == "number" else str
    return click.option(option.flag, type=kind, default=option.default, show_default=shown, help=option.help)
