"""Shell completion: what the shell is told, and what it then offers."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from pipeline.cli.commands import cli
from tests.support.processes import environment, started

BIN = Path(sys.executable).parent


def bash(folder: Path, script: str) -> str:
    """What a script prints in a bash that has read the completion, as docs/operating.md says."""
    path = environment()["PATH"]
    setup = 'eval "$(_SECOND_OPINION_COMPLETE=bash_source second-opinion)"'
    ended = started(folder, "bash", "-ec", f"PATH={BIN}:{shlex.quote(path)}\n{setup}\n{script}")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def offered(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word of a command line."""
    line = " ".join(map(shlex.quote, words))
    # `compopt` works only while a shell completes; what it is told is shown instead.
    return bash(
        folder,
        f"""
        compopt() {{ echo "$2"; }}
        COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}
        _second_opinion_completion second-opinion
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """,
    ).split()


def test_bash_knows_the_command(tmp_path: Path) -> None:
    """Bash has a completion for `second-opinion` once it has read what the command prints for it."""
    assert "_second_opinion_completion second-opinion" in bash(tmp_path, "complete -p second-opinion")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], sorted(cli.commands)),
        (["che"], ["check"]),
        (["join", "--key-normalize", ""], ["auto", "raw", "basename", "stem"]),
        (["check", "--pre"], ["--preview"]),
        (["check", ""], ["default"]),
        (["run", "m.json", "--report-json", ""], ["default"]),
        (["join", "--features", ""], ["default"]),
        (["init", ""], ["dirnames"]),
        (["run", "--base-dir", ""], ["dirnames"]),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_what_is_offered(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    """Commands, options and their values; for a file the shell's own names, for a folder those of folders."""
    assert offered(tmp_path, "second-opinion", *words) == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(tmp_path: Path, shell: str) -> None:
    """The command also prints what zsh and fish read."""
    told = bash(tmp_path, f"_SECOND_OPINION_COMPLETE={shell}_source second-opinion")
    assert f"_SECOND_OPINION_COMPLETE={shell}_complete" in told
