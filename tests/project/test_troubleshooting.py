"""docs/troubleshooting.md knows every error, under its exit code, and quotes messages that there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.errors import SecondOpinionError
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
PACKAGE = Path(pipeline.__file__).parent
BETWEEN = "…"
"""What stands on the page, and in a template, for what a message fills in."""


def errors(kind: type[SecondOpinionError] = SecondOpinionError) -> Iterator[type[SecondOpinionError]]:
    """The tree of errors: a class, then those below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from errors(below)


CODES = {kind.__name__: kind.exit_code for kind in errors()}


def sections() -> dict[str, str]:
    """What the page says of each error, by the heading."""
    _, *parts = re.split(r"^## (.+)\n", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def quoted() -> list[tuple[str, str]]:
    """Each message of the page with the error whose section quotes it."""
    return [
        (heading.partition(",")[0], message)
        for heading, text in sections().items()
        for message in re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)
    ]


def templates(node: ast.AST, raised: str | None = None) -> Iterator[tuple[str | None, str]]:
    """Every text in the code below `node`, with the error it is given to: None where that is not told there."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        raised = ast.unparse(node.exc.func)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield raised, node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else BETWEEN for part in node.values)
        yield raised, "".join(map(str, parts))
        return
    for below in ast.iter_child_nodes(node):
        yield from templates(below, raised)


TEMPLATES = [
    (raised if raised in CODES else None, text)
    for path in PACKAGE.rglob("*.py")
    for raised, text in templates(ast.parse(path.read_text("utf-8")))
]


def is_said(message: str, error: str) -> bool:
    """Whether a text of the code says the message: between the parts that it fills in, word for word."""
    parts = [part for part in message.split(BETWEEN) if part]
    wanted = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
    return any(raised in (error, None) and wanted.search(text) for raised, text in TEMPLATES)


def test_every_error_has_its_section_and_its_exit_code() -> None:
    """The headings are the classes of the tree with the codes that the command ends with, in the tree's order."""
    assert list(sections()) == [f"{name}, exit code {code}" for name, code in CODES.items()]


def test_the_drawing_of_the_tree_is_that_of_the_code() -> None:
    """The page draws the same tree as the docstring of pipeline/errors.py."""
    drawn = re.findall(r"^[ │├└─]*(\w+Error) +(?:exit code|(\d))", PAGE, re.MULTILINE)
    assert drawn == [
        (name, str(code) if name != "SecondOpinionError" else "") for name, code in CODES.items()
    ]


@pytest.mark.parametrize(("error", "message"), quoted())
def test_every_message_quoted_is_one_that_the_code_has(error: str, message: str) -> None:
    """A message on the page is a text of the code, and where the code says whose it is, of that error."""
    assert is_said(message, error)


def test_a_message_that_the_code_has_not_would_be_found_out() -> None:
    """The check of the messages can fail: on other words, on the words of another error, on words in another order."""
    assert is_said("…: the file is not there yet", "InputMissingError")
    assert not is_said("…: the file is not here yet", "InputMissingError")
    assert not is_said("…: the file is not there yet", "TableError")
    assert not is_said("yet …: the file is not there", "InputMissingError")


def test_every_error_but_the_base_has_a_message() -> None:
    """No section of an error that is raised is without a message."""
    assert {error for error, _ in quoted()} == set(CODES) - {"SecondOpinionError"}
