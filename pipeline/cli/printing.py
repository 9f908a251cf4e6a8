"""Printing: results to stdout, messages to stderr. No other module of the package prints."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO

import click

from ..errors import printable


@contextlib.contextmanager
def ignoring_output_errors(stream: IO[str]) -> Iterator[None]:
    """Ignore output errors in this block (closed pipe, full disk), so that they do not change the exit code."""
    try:
        yield
    except (OSError, SystemExit):  # rich would end the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # also for what Python flushes at its end


def print_result(text: str) -> None:
    """Print a part of the command's result to stdout."""
    with ignoring_output_errors(sys.stdout):
        click.echo(printable(text))


def print_message(message: str) -> None:
    """Print an error or a warning to stderr, below the name of the command."""
    with ignoring_output_errors(sys.stderr):
        click.echo(f"second-opinion: {printable(message)}", err=True)
