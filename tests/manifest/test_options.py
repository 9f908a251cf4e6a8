"""The join options are declared once, and every other list of them is derived."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pipeline.cli.commands import cli
from pipeline.manifest.options import OPTIONS, JoinOptions, Option
from tests.support.builders import run_main
from tools import derive

NAMES = [option.name for option in OPTIONS]
LISTS = ["key_columns", "score_key_fields"]


@pytest.mark.parametrize("path", derive.derived(), ids=lambda path: path.name)
def test_the_derived_files_are_what_the_declaration_says(path: Path) -> None:
    """The manifest's schema and docs/manifest.md list the options as they are; `make derive` brings them so."""
    assert path.read_text("utf-8") == derive.derived()[path]


def test_the_flags_of_join_are_the_options_and_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    """`join` has a flag for every option of a manifest's table, for each file and for `scorers`, and no other."""
    shown = run_main(capsys, "join", "--help").out
    flags = re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)
    files = ["--features", "--scores", "--out", "--audit-json"]
    assert sorted(set(flags)) == sorted(
        {*files, "--declare", "--memory", *(option.flag for option in OPTIONS), "--help"}
    )


def test_the_defaults_of_the_flags_are_the_defaults_of_the_options() -> None:
    """A flag that is not given means what an option means that stands nowhere in a manifest."""
    flags = {each.name: each.default for each in cli.commands["join"].params}
    assert {name: flags[name] for name in NAMES} == dataclasses.asdict(JoinOptions())


@pytest.mark.parametrize("option", OPTIONS, ids=NAMES)
def test_an_option_is_described_and_its_default_keeps_its_own_rule(option: Option) -> None:
    """Each option has a help text of whole sentences, and a default that its schema takes."""
    assert option.help.endswith(".")
    Draft202012Validator.check_schema(option.schema)
    assert list(Draft202012Validator(option.schema).iter_errors(option.default)) == []
    assert option.flag == "--" + option.name.replace("_", "-")


def test_overrides_replace_what_they_name_and_leave_the_rest() -> None:
    """The effective options are the defaults with what the table says; other keys of a table are no options."""
    defaults = JoinOptions(prefix="nr", missing_policy="drop")
    effective = defaults.with_overrides({"id": "t", "missing_policy": "mark", "overwrite": True})
    assert effective == JoinOptions(prefix="nr", missing_policy="mark", overwrite=True)
    assert defaults == JoinOptions(prefix="nr", missing_policy="drop")


def test_all_options_stand_in_their_json() -> None:
    """Reports show every effective option, those at their defaults too; of lists only those that are set."""
    options = JoinOptions(key_columns=("clip", "frame"), score_key_fields=("id", "n"))
    assert list(options.as_json()) == NAMES == [each.name for each in dataclasses.fields(JoinOptions)]
    assert [name for name in NAMES if name not in JoinOptions().as_json()] == LISTS
