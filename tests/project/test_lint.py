"""What is checked before a commit is what `make lint` checks."""

from __future__ import annotations

import re

from tests.support.processes import ROOT


def test_pre_commit_and_make_lint_agree() -> None:
    """The hooks run the commands of `make lint`, in its order, with the tools of its environment."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    found = re.search(r"^lint: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found
    linted = [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE) == linted


def test_hooks_bring_no_tools_of_their_own() -> None:
    """Each hook uses what is installed already, so that no tool has two versions."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert set(re.findall(r"repo: (\S+)", hooks)) == {"local"}
    entries = len(re.findall(r"entry:", hooks))
    assert len(re.findall(r"language: system\n +pass_filenames: false\n", hooks)) == entries > 0
