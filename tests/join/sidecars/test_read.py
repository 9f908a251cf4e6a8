"""A sidecar as a manifest names it: its scorers, its files, its faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputMissingError, SidecarError
from pipeline.join.sidecars.read import read_sidecar
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions
from tests.support.builders import write_json, write_jsonl, write_text

DEFAULTS = JoinOptions()


def read(
    folder: Path, entry: str | Mapping[str, Any], options: JoinOptions = DEFAULTS
) -> dict[str, dict[str, float | None]]:
    """The scores of a sidecar: per scorer, its comparable keys and their scores."""
    found: dict[str, dict[str, float | None]] = {}
    for scores in read_sidecar(SidecarEntry.of(entry, folder), folder, options):
        held = found.setdefault(scores.label, {})
        held |= zip(scores.keys.to_pylist(), scores.records["score"].to_pylist(), strict=True)
    return found


def test_scorers_of_one_file(tmp_path: Path) -> None:
    """A file may hold several scorers, each named by its rows."""
    rows = [
        {"clip_id": "a", "competitor": "musiq", "score": 1},
        {"clip_id": "a", "competitor": "dover", "score": 2},
    ]
    write_jsonl(tmp_path / "all.jsonl", rows)
    assert read(tmp_path, "all.jsonl") == {"musiq": {"a": 1.0}, "dover": {"a": 2.0}}


def test_rows_spell_the_label_in_their_own_way(tmp_path: Path) -> None:
    """A label and the `competitor` of the rows are one scorer if their slugs are the same; the rows name it."""
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": "a", "competitor": "DOVER", "score": 1}])
    assert read(tmp_path, "dover=s.jsonl") == {"DOVER": {"a": 1.0}}


def test_rows_may_name_their_key_differently(tmp_path: Path) -> None:
    """Each row's key is found for itself, and `auto` goes by the name of the field it stands under."""
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": "x/a", "score": 1}, {"path": "x/b.mp4", "score": 2}])
    assert read(tmp_path, "dover=s.jsonl") == {"dover": {"x/a": 1.0, "b.mp4": 2.0}}


def test_path_that_contains_an_equals_sign(tmp_path: Path) -> None:
    """A string that names an existing file as it stands is a path, even if it contains `=`."""
    write_jsonl(tmp_path / "lr=1.jsonl", [{"clip_id": "a", "competitor": "musiq", "score": 1}])
    assert read(tmp_path, "lr=1.jsonl") == {"musiq": {"a": 1.0}}


def test_wide_row_is_one_scorer_per_aspect(tmp_path: Path) -> None:
    """`score_fields` gives one scorer per aspect, labelled LABEL-aspect, from one wide row."""
    write_text(tmp_path / "dover.csv", "path, aesthetic score, technical score\nx/a.mp4,0.5,0.25\n")
    entry = {
        "path": "dover.csv",
        "label": "dover",
        "score_fields": {"technical": "technical score", "aesthetic": "aesthetic score"},
    }
    assert read(tmp_path, entry) == {"dover-aesthetic": {"a.mp4": 0.5}, "dover-technical": {"a.mp4": 0.25}}


def test_entry_may_say_the_format(tmp_path: Path) -> None:
    """An entry's `format` reads a file whose name does not say it."""
    write_jsonl(tmp_path / "dover.log", [{"clip_id": "a", "score": 1}])
    assert read(tmp_path, {"path": "dover.log", "label": "dover", "format": "jsonl"}) == {"dover": {"a": 1.0}}


def test_unknown_extension(tmp_path: Path) -> None:
    """A file whose format nothing says is an error that lists the extensions."""
    write_text(tmp_path / "runs" / "dover.log", "")
    with pytest.raises(
        SidecarError, match=r"runs/dover\.log: expected one of \.parquet, .*, or a format in the entry"
    ):
        read(tmp_path, "dover=runs/*.log")


def test_pattern_is_one_sidecar(tmp_path: Path) -> None:
    """Every file that `*` and `**` match, in sorted order, is one sidecar; its source is the pattern."""
    for name in ("runs/b.jsonl", "runs/a.jsonl", "runs/deep/er/c.jsonl", "other/d.jsonl", "runs/e.csv"):
        write_jsonl(tmp_path / name, [{"clip_id": Path(name).stem, "score": 1}])
    found = read_sidecar(SidecarEntry("runs/**/*.jsonl", "dover"), tmp_path, DEFAULTS)
    assert [scores.keys.to_pylist() for scores in found] == [["a"], ["b"], ["c"]]
    assert {scores.source for scores in found} == {"runs/**/*.jsonl"}


def test_pattern_takes_other_signs_as_they_are(tmp_path: Path) -> None:
    """Only `*` and `**` stand for something else: brackets and question marks are plain parts of a name."""
    write_jsonl(tmp_path / "run[1]?" / "a.jsonl", [{"clip_id": "a", "score": 1}])
    write_jsonl(tmp_path / "run1x" / "b.jsonl", [{"clip_id": "b", "score": 1}])
    assert read(tmp_path, "dover=run[1]?/*.jsonl") == {"dover": {"a": 1.0}}


@pytest.mark.parametrize("path", ["runs/*.jsonl", "runs/**/*.jsonl", "runs/dover.jsonl"])
def test_nothing_there_yet(tmp_path: Path, path: str) -> None:
    """A file that is not there, or a pattern that matches none, is an input that is not there yet."""
    (tmp_path / "runs" / "folder.jsonl").mkdir(parents=True)
    with pytest.raises(InputMissingError, match=r"runs/.*\.jsonl: .* yet"):
        read(tmp_path, f"dover={path}")


@pytest.mark.parametrize(
    ("normalize", "expected"),
    [("auto", ["a.json", "b.json"]), ("stem", ["a", "b"]), ("raw", ["vmaf/a.json", "vmaf/b.json"])],
)
def test_key_from_the_file(tmp_path: Path, normalize: Any, expected: list[str]) -> None:
    """`key_from: file` takes the key from each file's own path, normalised as a field `path` would be."""
    for clip in ("b", "a"):
        row = {"clip_id": "other", "pooled_metrics": {"vmaf": {"mean": 90}}}
        write_json(tmp_path / "vmaf" / f"{clip}.json", row)
    entry = {
        "path": "vmaf/*.json",
        "label": "vmaf",
        "key_from": "file",
        "score_field": "pooled_metrics.vmaf.mean",
    }
    found = read(tmp_path, entry, JoinOptions(key_normalize=normalize))
    assert found == {"vmaf": dict.fromkeys(expected, 90.0)}


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("s.jsonl", '\n{"clip_id": "a", "score": "good"}\n', r"s\.jsonl line 2"),
        ("s.csv", "clip_id,score\nb,1\na,good\n", r"s\.csv line 3"),
        ("s.json", '[{"clip_id": "b", "score": 1}, {"clip_id": "a", "score": "good"}]', r"s\.json row 2"),
        ("runs/s.jsonl", '{"clip_id": "a", "score": "good"}', r"runs/s\.jsonl line 1"),
    ],
    ids=["jsonl", "csv", "json", "folder"],
)
def test_error_says_where_and_what(tmp_path: Path, name: str, content: str, place: str) -> None:
    """An error names the file, the line or row, the field, what was found and what is expected."""
    write_text(tmp_path / name, content)
    with pytest.raises(SidecarError, match=f"{place}: field score: found 'good'; expected a finite number"):
        read(tmp_path, f"dover={name}")


def test_all_faults_are_counted_and_ten_shown(tmp_path: Path) -> None:
    """All faulty rows of a sidecar are counted over all its files, and the first ten shown."""
    for name in ("a", "b"):
        write_jsonl(tmp_path / f"{name}.jsonl", [{"clip_id": f"{name}{row}"} for row in range(8)])
    with pytest.raises(SidecarError) as caught:
        read(tmp_path, "dover=*.jsonl")
    headline, *shown, last = str(caught.value).splitlines()
    assert headline == "*.jsonl: 16 faulty rows in the sidecar"
    assert [line.split(":")[0] for line in shown] == [
        *(f"  - a.jsonl line {number}" for number in range(1, 9)),
        *(f"  - b.jsonl line {number}" for number in range(1, 3)),
    ]
    assert last == "  ... and 6 more"


def test_faults_of_every_kind_are_told_at_once(tmp_path: Path) -> None:
    """Lines that are no row, rows without a score and keys that the regex does not match are told together."""
    write_text(
        tmp_path / "s.jsonl",
        'x\n{"clip_id": "a"}\n{"clip_id": "b", "score": 1}\n{"clip_id": "7", "score": 1}',
    )
    with pytest.raises(SidecarError) as caught:
        read(tmp_path, "dover=s.jsonl", JoinOptions(score_key_regex=r"^(\d)$"))
    message = str(caught.value)
    assert message.startswith("s.jsonl: 3 faulty rows in the sidecar")
    assert "line 1: not JSON" in message
    assert "line 2: no score" in message
    assert r"line 3: field clip_id: found 'b', which score_key_regex '^(\\d)$' does not match" in message


def test_score_key_regex_gives_the_key(tmp_path: Path) -> None:
    """`score_key_regex` is applied to the normalised key; its group is the key."""
    write_jsonl(tmp_path / "s.jsonl", [{"path": "9_x/0012_48.mp4", "score": 1}])
    assert read(tmp_path, "dover=s.jsonl", JoinOptions(score_key_regex=r"^(\d+)_")) == {
        "dover": {"0012": 1.0}
    }


@pytest.mark.parametrize(
    ("key", "normalize", "found"),
    [
        ("x/", "basename", "'x/', which is empty as basename"),
        ("x/.mp4", "stem", "'x/.mp4', which is empty as stem"),
    ],
)
def test_key_that_is_empty_once_normalised(tmp_path: Path, key: str, normalize: Any, found: str) -> None:
    """A key of which normalisation leaves nothing is an error: it could only match by chance."""
    write_jsonl(tmp_path / "s.jsonl", [{"clip_id": key, "score": 1}])
    with pytest.raises(SidecarError, match=f"line 1: field clip_id: found {found}; expected a key"):
        read(tmp_path, "dover=s.jsonl", JoinOptions(key_normalize=normalize))


@pytest.mark.parametrize("key", ['"x/"', '"\\ud800"'])
def test_faulty_key_of_a_wide_row_counts_once(tmp_path: Path, key: str) -> None:
    """A row that gives a score per aspect and has no key is one faulty row, whatever the number of aspects."""
    write_text(tmp_path / "s.jsonl", f'{{"path": {key}, "t": 1, "a": 2}}\n')
    entry = {"path": "s.jsonl", "label": "dover", "score_fields": {"technical": "t", "aesthetic": "a"}}
    with pytest.raises(SidecarError, match=r"^s\.jsonl: 1 faulty row in the sidecar\n.*expected [^\n]*$"):
        read(tmp_path, entry)


def test_key_that_is_no_unicode_text(tmp_path: Path) -> None:
    """A key with half a surrogate pair, which no table can hold, is an error of its row."""
    write_text(tmp_path / "s.jsonl", '{"clip_id": "é", "score": 1}\n{"clip_id": "\\ud800", "score": 1}\n')
    with pytest.raises(
        SidecarError, match=r"1 faulty row .*\n.*line 2: field clip_id: .*expected Unicode text"
    ):
        read(tmp_path, "dover=s.jsonl")


@pytest.mark.parametrize(
    ("name", "content"), [("s.jsonl", "\n"), ("s.json", "[]"), ("s.csv", "clip_id,score\n")]
)
def test_sidecar_without_rows(tmp_path: Path, name: str, content: str) -> None:
    """A sidecar without rows is its label's scorer with no score; without a label nothing names a scorer: an error."""
    write_text(tmp_path / name, content)
    assert read(tmp_path, f"dover={name}") == {"dover": {}}
    with pytest.raises(SidecarError, match="found no row, and no label names a scorer"):
        read(tmp_path, name)


@pytest.mark.parametrize("wrapper", [{"competitor": "DOVER"}, {"summary": {"competitor": "DOVER"}}])
def test_a_wrapper_names_the_scorer_of_its_rows(tmp_path: Path, wrapper: dict[str, object]) -> None:
    """A document that names the scorer once speaks for its rows, and a label that contradicts it is an error."""
    write_json(tmp_path / "s.json", wrapper | {"results": [{"clip_id": "a", "score": 3}]})
    (scores,) = read_sidecar(SidecarEntry("s.json"), tmp_path, JoinOptions())
    assert scores.label == "DOVER"
    with pytest.raises(
        SidecarError, match=r"row 1: field competitor: found 'DOVER', which contradicts the label 'musiq'"
    ):
        read_sidecar(SidecarEntry("s.json", label="musiq"), tmp_path, JoinOptions())


def test_scorers_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field competitor that names something else in every row is an error, not thousands of columns."""
    monkeypatch.setattr("pipeline.join.sidecars.read.MAX_SCORERS", 10)
    rows = [{"clip_id": "a", "score": 1, "competitor": f"run-{row}"} for row in range(11)]
    write_jsonl(tmp_path / "s.jsonl", rows[:10])
    assert len(read_sidecar(SidecarEntry("s.jsonl"), tmp_path, JoinOptions())) == 10
    write_jsonl(tmp_path / "s.jsonl", rows)
    with pytest.raises(
        SidecarError, match=r"s\.jsonl lines: found more than 10 scorers, 'run-10' the last of them"
    ):
        read_sidecar(SidecarEntry("s.jsonl"), tmp_path, JoinOptions())
