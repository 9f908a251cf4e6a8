"""The entry of the command line: it runs a command and turns every error into a message and an exit code."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from ..errors import BatchError, SecondOpinionError, UsageError, one_line
from .commands import cli
from .printing import ignoring_output_errors, print_message

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
        code = _failed(str(exc), exc.exit_code)
    except click.ClickException as exc:
        code = _failed(one_line(exc.format_message()), UsageError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _failed("interrupted; nothing is half-written", INTERRUPTED)
    except OSError as exc:
        code = _unexpected(exc)
    for stream in filter(None, (sys.stdout, sys.stderr)):  # a closed one (`>&-`) is None
        with ignoring_output_errors(stream):
            stream.flush()
    # Python looks through all objects for unused circles when it ends, a fifth of a small run; here the process ends
    atexit.register(gc.freeze)
    sys.exit(code or 0)


def _failed(message: str, code: int) -> int:
    print_message(message)
    return code


def _unexpected(exc: OSError) -> int:
    """The exit code if help cannot be printed, a name is too long for any file, or the terminal was closed."""
    if isinstance(exc.__context__, KeyboardInterrupt):
        return INTERRUPTED
    named = f"{os.fsdecode(exc.filename)}: " if isinstance(exc.filename, str | bytes) else ""
    return _failed(f"{named}{exc.strerror or exc}", BatchError.exit_code)


if __name__ == "__main__":
    main()
