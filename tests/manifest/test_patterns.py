"""A pattern stands for the same files whether they are looked for or asked about, and the answer always comes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.manifest.patterns import Pattern
from tests.support.builders import write_text

NAMES = (
    "b/2.json",
    "b/1.json",
    "a.json",
    "b/c/3.json",
    "[x]/1.json",
    "b/folder.json/f",
    ".h/4.json",
    "b/.5.json",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files in folders, some hidden."""
    base = tmp_path_factory.mktemp("patterns")
    for name in NAMES:
        write_text(base / name, "{}")
    return base


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("b/*.json", ["b/1.json", "b/2.json"]),
        ("b/**/*.json", ["b/1.json", "b/2.json", "b/c/3.json"]),
        ("b/**/**/*.json", ["b/1.json", "b/2.json", "b/c/3.json"]),
        ("b/**", ["b/1.json", "b/2.json", "b/c/3.json", "b/folder.json/f"]),
        ("**/3.json", ["b/c/3.json"]),
        ("*/*.json", ["[x]/1.json", "b/1.json", "b/2.json"]),
        ("b/.*", ["b/.5.json"]),
        (".h/*", [".h/4.json"]),
        ("b/c/../*.json", ["b/c/../1.json", "b/c/../2.json"]),
        ("[x]/*.json", ["[x]/1.json"]),
        ("b/?.js*", []),
        ("b/1.json/*", []),
        ("none/*", []),
    ],
)
def test_files_of_a_pattern(folder: Path, pattern: str, found: list[str]) -> None:
    """It matches files in sorted order, `**` at any depth; what is hidden must be named, and `[` and `?` are themselves."""
    assert Pattern(pattern).matches(folder) == found
    absolute = [str(folder / name) for name in found]
    assert Pattern(str(folder / pattern)).matches(Path("elsewhere")) == absolute


@given(
    st.lists(
        st.sampled_from(["**", "*", "b", "c", ".h", "*.json", "1*", "[x]", "*o*e*.*"]), min_size=1, max_size=4
    )
)
@settings(deadline=None)
def test_what_is_found_fits(folder: Path, parts: list[str]) -> None:
    """Of the files that are there, those that a pattern fits are those that it finds."""
    pattern = Pattern("/".join(parts))
    assert pattern.matches(folder) == sorted(name for name in NAMES if pattern.fits(name))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**/" * 200 + "*.json", "a/" * 200 + "b.csv"),
        ("**/a/" * 100 + "*.json", "a/" * 500 + "b.csv"),
        ("*a" * 100 + "b", "a" * 250),
    ],
    ids=["folders", "folders and names", "names"],
)
def test_many_stars_end(pattern: str, path: str) -> None:
    """However many stars a pattern has, a path that it does not fit is soon told."""
    assert not Pattern(pattern).fits(path)


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    """A folder reached again through a link is not looked into again, so that circles of links have an end."""
    write_text(tmp_path / "a/s.json", "{}")
    for name in ("self", "again", "more"):
        (tmp_path / f"a/{name}").symlink_to(".")
        (tmp_path / f"a/{name}_up").symlink_to("../..")
    (tmp_path / "c").symlink_to("b")
    (tmp_path / "b").symlink_to("c")
    assert Pattern("**/*.json").matches(tmp_path) == ["a/s.json"]
    assert Pattern("*/" * 30 + "*.json").matches(tmp_path) == []
    assert Pattern("**/**/a/**/*.json").matches(tmp_path) == ["a/s.json"]


def test_linked_folders_are_looked_into(tmp_path: Path) -> None:
    """A link to a folder elsewhere stands for it: `*` takes each of its names, `**` takes the folder once."""
    write_text(tmp_path / "real/s.json", "{}")
    for name in ("one", "two"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / f"in/{name}").symlink_to("../real")
    assert Pattern("in/*/s.json").matches(tmp_path) == ["in/one/s.json", "in/two/s.json"]
    assert Pattern("in/**/s.json").matches(tmp_path) == ["in/one/s.json"]


@pytest.mark.parametrize("call", ["scandir", "stat"])
def test_what_cannot_be_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A folder or file that cannot be looked at is an error: without its files a join would be wrong in silence."""
    plain = getattr(os, call)

    def failing(path: Any, *args: Any, **more: Any) -> Any:
        if Path(path) == folder / ("b" if call == "scandir" else "b/1.json"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return plain(path, *args, **more)

    monkeypatch.setattr(os, call, failing)
    with pytest.raises(InputError, match=r"b.*: cannot be read: Permission denied"):
        Pattern("b/*.json").matches(folder)
