"""How a table and its sidecars may be spelled, and which files they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.declarations import slug
from pipeline.manifest.entries import FeaturesEntry, SidecarEntry, TableEntry
from pipeline.manifest.options import JoinOptions, option_faults
from pipeline.storage.dialect import TextSettings
from tests.support.builders import write_text

OBJECT = {
    "path": "nr/**/*.json",
    "label": "fork",
    "format": "json",
    "key_field": "clip",
    "score_fields": {"technical": "technical score", "aesthetic": "aesthetic score"},
}


@pytest.mark.parametrize(
    ("spelled", "label", "path"),
    [
        ("d.csv", None, "d.csv"),
        ("dover=d.csv", "dover", "d.csv"),
        ("DOVER mobile=in/d.csv", "DOVER mobile", "in/d.csv"),
        ("dover=run=7/d.csv", "dover", "run=7/d.csv"),
        ("fork=nr/*.json", "fork", "nr/*.json"),
    ],
)
def test_a_text_is_a_path_or_a_label_and_a_path(
    spelled: str, label: str | None, path: str, tmp_path: Path
) -> None:
    """`PATH` or `LABEL=PATH`: the first `=` ends the label."""
    entry = SidecarEntry.of(spelled, tmp_path)
    assert (entry.label, entry.path) == (label, path)
    assert entry.as_json() == spelled


def test_a_text_that_names_an_existing_file_is_a_path(tmp_path: Path) -> None:
    """A file whose name holds `=` is meant as it stands; once it has gone, the text is `LABEL=PATH`."""
    file = write_text(tmp_path / "crf=23/d.csv", "")
    assert SidecarEntry.of("crf=23/d.csv", tmp_path) == SidecarEntry("crf=23/d.csv")
    assert SidecarEntry.of("crf=23", tmp_path) == SidecarEntry("23", label="crf")
    file.unlink()
    assert SidecarEntry.of("crf=23/d.csv", tmp_path) == SidecarEntry("23/d.csv", label="crf")


@pytest.mark.parametrize(
    ("given", "shortest"),
    [
        (OBJECT, OBJECT),
        ({"path": "d.csv", "label": None, "format": None}, "d.csv"),
        ({"path": "d.csv", "label": "dover"}, "dover=d.csv"),
        ({"path": "d.csv", "label": "crf=23"}, {"path": "d.csv", "label": "crf=23"}),
        ({"path": "d.csv", "key_from": "file"}, {"path": "d.csv", "key_from": "file"}),
        ({"path": "d.csv", "delimiter": None, "decimal": None, "columns": None}, "d.csv"),
        ({"path": "d.csv", "columns": ["path", "score"]}, {"path": "d.csv", "columns": ["path", "score"]}),
        (
            {"path": "d.csv", "decimal": ",", "delimiter": ";"},
            {"path": "d.csv", "decimal": ",", "delimiter": ";"},
        ),
    ],
    ids=["all", "path", "label", "label-with-equals", "key_from", "no-dialect", "columns", "dialect"],
)
def test_an_object_is_told_in_its_shortest_form(
    given: dict[str, Any], shortest: object, tmp_path: Path
) -> None:
    """Reports and replayed commands spell an entry in one way, from which the same entry is read again."""
    entry = SidecarEntry.of(given, tmp_path)
    spelled = entry.as_json()
    assert spelled == shortest
    assert SidecarEntry.of(spelled, tmp_path) == entry


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("nr/*.json", ["nr/a.json", "nr/b.json"]),
        ("nr/**/*.json", ["nr/a.json", "nr/b.json", "nr/deep/er/c.json"]),
        ("**/c.json", ["nr/deep/er/c.json"]),
        ("nr/*/*.json", []),
        ("none/*.json", []),
        ("nr/[ab].json", ["nr/[ab].json"]),
    ],
)
def test_a_pattern_stands_for_the_files_it_matches_in_sorted_order(
    pattern: str, found: list[str], tmp_path: Path
) -> None:
    """`*` matches within a folder, `**` any depth of folders; nothing else in a path is special."""
    for name in ("nr/b.json", "nr/a.json", "nr/deep/er/c.json", "nr/x.csv"):
        write_text(tmp_path / name, "")
    (tmp_path / "nr/folder.json").mkdir()
    assert [name for name, _ in SidecarEntry(pattern).files(tmp_path)] == found
    assert all(path == tmp_path / name for name, path in SidecarEntry(pattern).files(tmp_path))


def test_a_file_whose_name_holds_a_star_is_that_file(tmp_path: Path) -> None:
    """A path that names an existing file as it stands is no pattern."""
    write_text(tmp_path / "a*.csv", "")
    write_text(tmp_path / "ab.csv", "")
    assert [name for name, _ in SidecarEntry("a*.csv").files(tmp_path)] == ["a*.csv"]


def test_the_inputs_of_a_table_are_named_by_field_and_match(tmp_path: Path) -> None:
    """Every file a table reads has a name of its own, from the manifest's view."""
    for name in ("nr/a.json", "nr/b.json"):
        write_text(tmp_path / name, "")
    scores = (SidecarEntry("d.csv", label="dover"), SidecarEntry("nr/*.json", label="fork"))
    entry = TableEntry(FeaturesEntry("f.csv"), scores, "t.csv", "t.audit.json", JoinOptions())
    assert dict(entry.inputs(tmp_path)) == {
        "features": tmp_path / "f.csv",
        "scores[0]": tmp_path / "d.csv",
        "scores[1]/nr/a.json": tmp_path / "nr/a.json",
        "scores[1]/nr/b.json": tmp_path / "nr/b.json",
    }
    assert dict(entry.outputs(tmp_path)) == {
        "out": tmp_path / "t.csv",
        "audit_json": tmp_path / "t.audit.json",
    }
    assert list(entry.faults()) == []


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (SidecarEntry("d.txt"), ": found 'd.txt'; expected one of .parquet, .pq, .jsonl"),
        (SidecarEntry("d.parquet.gz"), ": found 'd.parquet.gz'; expected one of .parquet"),
        (SidecarEntry("d.csv", label="·"), ".label: found '·'"),
        (
            SidecarEntry("d.csv", label="x", score_field="a", score_fields=(("b", "c"),)),
            ".score_fields: given together with",
        ),
        (SidecarEntry("d.csv", label="x", score_fields=(("-", "c"),)), ".score_fields: found the aspect '-'"),
        (
            SidecarEntry("d.json", text=TextSettings(columns=("a",))),
            ".columns: 'd.json' has none; expected .csv or",
        ),
        (
            SidecarEntry("d.pq", text=TextSettings(delimiter=";")),
            ".delimiter: 'd.pq' has none; expected .csv or .tsv",
        ),
        (
            SidecarEntry("d.csv", text=TextSettings(delimiter=";;")),
            ".delimiter: found ';;'; expected one sign",
        ),
        (SidecarEntry("d.csv", text=TextSettings(decimal=";")), ".decimal: found ';'; expected one of . ,"),
        (SidecarEntry("d.csv", text=TextSettings(columns=("a", "a"))), ".columns: 'a' occurs twice"),
        (SidecarEntry("\udcff.csv"), r": found '\udcff.csv'; expected Unicode text"),
        (SidecarEntry("d/" * 3000 + "e.csv"), ": found 'd/d/"),
    ],
    ids=[
        *(
            "extension",
            "parquet",
            "label",
            "two-scores",
            "aspect",
            "columns",
            "delimiter",
            "signs",
            "mark",
        ),
        *("repeated", "bytes", "long"),
    ],
)
def test_a_sidecar_that_cannot_be_read_as_asked_is_a_fault(entry: SidecarEntry, fault: str) -> None:
    """What contradicts itself is told before anything is read, with its place below the entry."""
    (told,) = entry.faults()
    assert told.startswith(fault)


def test_a_format_makes_up_for_an_extension() -> None:
    """`format` says what a name does not."""
    assert list(SidecarEntry("d.txt", format="csv").faults()) == []


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("DOVER", "dover"),
        ("Q-Align (mini) v2", "q_align_mini_v2"),
        ("__fast--vqa__", "fast_vqa"),
        ("naïve", "na_ve"),
        ("··", ""),
    ],
)
def test_a_slug_is_lower_case_with_one_underscore_for_all_else(label: str, expected: str) -> None:
    """Lower case, every run of characters outside a-z and 0-9 becomes `_`, trimmed of `_`."""
    assert slug(label) == expected


@given(st.text())
def test_a_slug_is_a_part_of_a_column_name_and_its_own_slug(label: str) -> None:
    """Whatever a scorer is called, its slug holds only a-z, 0-9 and single inner `_`."""
    found = slug(label)
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert "__" not in f"_{found}_" or not found
    assert slug(found) == found


def test_the_faults_of_options_are_told_by_their_names() -> None:
    """Options that come from a program are held to the rules of those in a manifest."""
    faults = list(
        option_faults({"key_regex": "(a)(b)", "min_coverage": float("nan"), "missing_policy": "keep"})
    )
    assert sorted(fault.split(":")[0] for fault in faults) == ["key_regex", "min_coverage", "missing_policy"]
    assert list(option_faults(JoinOptions().as_json())) == []


@pytest.mark.parametrize("prefix", ["\ud800", "a\nb", "p" * 201])
def test_a_prefix_is_text_that_a_column_can_be_named_by(prefix: str) -> None:
    """What no format can hold in the name of a column, or nobody read, is a fault of the option."""
    (fault,) = option_faults({"prefix": prefix})
    assert fault.startswith("prefix: found ")
