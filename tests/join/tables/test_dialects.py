"""Feature tables as other programs write them: delimiters, decimal commas, no header; what is said of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import TableError, UsageError
from pipeline.join.materialize import materialize
from pipeline.join.tables import open_joined, open_table
from pipeline.manifest.options import JoinOptions
from pipeline.records.materialized import Materialized
from tests.support.builders import (
    clips,
    read_jsonl,
    run_main,
    run_manifest,
    write_jsonl,
    write_manifest,
    write_text,
)

CVD2014 = "clip_id;mos\nT1_D01;71,17\nT1_D02;25,83\n"
MARK = JoinOptions(missing_policy="mark")
HEADLESS = "a.mp4,3.88\nb.mp4,2.5\n"


def join(folder: Path, text: str, out: str, name: str = "f.csv", **settings: Any) -> Materialized:
    """Join one score onto a table of this text; what is set makes its entry an object."""
    write_text(folder / name, text)
    write_jsonl(folder / "s.jsonl", [*clips("T1_D01", score=0.5), *clips("a.mp4", score=0.25)])
    features: Any = {"path": name} | settings if settings else name
    return materialize(features, ["dover=s.jsonl"], out, audit_json="a.json", base_dir=folder, options=MARK)


def typed(folder: Path, text: str, column: str, **settings: Any) -> pa.Array:
    """A column of the table as Parquet has it."""
    join(folder, text, "o.parquet", **settings)
    return pq.read_table(folder / "o.parquet")[column].combine_chunks()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("name", ["f.csv", "f.tsv"])
def test_a_recognised_table_is_joined(tmp_path: Path, delimiter: str, decimal: str, name: str) -> None:
    """Its numbers are numbers, whatever the file's extension says of the delimiter."""
    text = CVD2014.replace(",", decimal).replace(";", delimiter)
    made = join(tmp_path, text, "o.jsonl", name)
    assert [row["mos"] for row in read_jsonl(tmp_path / "o.jsonl")] == [71.17, 25.83]
    assert made.summary["competitors"]["dover"]["matched_rows"] == 1


@pytest.mark.parametrize(
    ("settings", "notes"),
    [
        ({}, ["f.csv: delimiter ';' and decimal ',' recognised"]),
        ({"delimiter": ";"}, ["f.csv: decimal ',' recognised"]),
        ({"decimal": ","}, ["f.csv: delimiter ';' recognised"]),
        ({"delimiter": ";", "decimal": ","}, None),
    ],
)
def test_what_is_recognised_is_said_in_the_audit(
    tmp_path: Path, settings: dict[str, str], notes: list[str] | None
) -> None:
    """What is set needs no note, and a table without notes has none."""
    join(tmp_path, CVD2014, "o.parquet", **settings)
    audit = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert audit.get("notes") == notes
    assert audit["feature_table"] == "f.csv"


@pytest.mark.parametrize(("out", "delimiter"), [("o.csv", ","), ("o.tsv", "\t")])
def test_a_joined_table_is_written_by_its_own_extension(tmp_path: Path, out: str, delimiter: str) -> None:
    """It has the delimiter of its extension and decimal points, in old and new columns; texts keep their commas."""
    text = "clip_id;mos;n;note\nT1_D01;71,17;1;x,5\nT1_D02;NaN;;71,17\n"
    join(tmp_path, text, out)
    written = (tmp_path / out).read_text("utf-8").splitlines()
    quoted = ('"x,5"', '"71,17"') if delimiter == "," else ("x,5", "71,17")
    assert written[1:] == [
        delimiter.join(["T1_D01", "71.17", "1", quoted[0], "0.5", "ok", "", "0", "s.jsonl"]),
        delimiter.join(["T1_D02", "NaN", "", quoted[1], "", "missing", "", "0", ""]),
    ]
    assert open_joined(tmp_path / out, None).schema().field("mos").type == pa.float64()
    assert open_table(tmp_path / out, None).notes == ()


def test_nothing_of_a_joined_table_is_recognised(tmp_path: Path) -> None:
    """A column of texts that look like decimal commas stays text in a joined table that is read again."""
    join(tmp_path, "clip_id\tpair\nT1_D01\t1,5\n", "o.tsv", "f.tsv", decimal=".")
    assert open_joined(tmp_path / "o.tsv", None).schema().field("pair").type == pa.string()


@pytest.mark.parametrize(
    ("cell", "expected"), [("71,17", 71.17), (",5", 0.5), ("5,", 5.0), ("1,5e-05", 1.5e-05), ("-,5", -0.5)]
)
def test_numbers_with_decimal_commas(tmp_path: Path, cell: str, expected: float) -> None:
    """A comma is to a number what the point is elsewhere."""
    assert typed(tmp_path, f"clip_id;x\nT1_D01;{cell}\nT1_D02;0,25\n", "x").to_pylist() == [expected, 0.25]


@pytest.mark.parametrize("cell", ["1.234", "1.234,5", "1,2,3", "0,5.", ","])
def test_texts_among_decimal_commas(tmp_path: Path, cell: str) -> None:
    """Where commas are decimal marks, `1.234` may be a thousand: text, and no number."""
    text = f"clip_id;x\nT1_D01;0,25\nT1_D02;{cell}\n"
    assert typed(tmp_path, text, "x", decimal=",").to_pylist() == ["0,25", cell]


def test_quoted_decimal_commas_between_commas(tmp_path: Path) -> None:
    """`"71,17"` between commas may be a list: it stays text, with a note, until decimal is set."""
    text = 'clip_id,mos\nT1_D01,"71,17"\nT1_D02,"25,83"\n'
    assert typed(tmp_path, text, "mos").to_pylist() == ["71,17", "25,83"]
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["notes"] == [
        "f.csv: column 'mos' stays text: row 1 holds '71,17'; set decimal to , if that is a number"
    ]
    assert typed(tmp_path, text, "mos", decimal=",").to_pylist() == [71.17, 25.83]
    join(tmp_path, text, "o.csv", decimal=",")
    assert (tmp_path / "o.csv").read_text("utf-8").splitlines()[1].startswith("T1_D01,71.17,0.5,")


@pytest.mark.parametrize("out", ["o.csv", "o.jsonl", "o.parquet"])
def test_columns_name_those_of_a_file_without_a_header(tmp_path: Path, out: str) -> None:
    """With `columns` the first line is a row like the others; a single one without a line end is, too."""
    made = join(tmp_path, HEADLESS, out, columns=["path", "UVQ"])
    assert made.summary["input_rows"] == 2
    table = open_joined(tmp_path / out, None)
    assert table.columns[:2] == ("path", "UVQ")
    assert table.keys().to_pylist() == ["a.mp4", "b.mp4"]
    assert join(tmp_path, "a.mp4,3.88", out, columns=["path", "UVQ"]).summary["input_rows"] == 1
    assert join(tmp_path, "", out, columns=["path", "UVQ"]).summary["input_rows"] == 0


def test_a_file_without_a_header_is_recognised_by_all_its_lines(tmp_path: Path) -> None:
    """Semicolons with decimal commas are seen though the comma, too, would part each line in two."""
    text = CVD2014.partition("\n")[2]
    assert typed(tmp_path, text, "mos", columns=["clip_id", "mos"]).to_pylist() == [71.17, 25.83]


@pytest.mark.parametrize(
    "text",
    [
        HEADLESS,
        "a.mp4,3\nb.mp4,2\n",
        "T1_D01;71,17\nT1_D02;25,83\n",
        "T1_D01,0.5,0.5\nT1_D02,0.25,0.5\n",
        "a.mp4\nb.mp4\n",
        "a.mp4,0.5",
        "b1/a.mp4\t0.5\nb1/b.mp4\tNaN\n",
    ],
)
def test_a_first_line_of_data_is_refused(tmp_path: Path, text: str) -> None:
    """A file without a header is refused with an entry to copy, and nothing is written."""
    with pytest.raises(
        TableError, match=r'f\.csv: the first line looks like data.*\{"path": "f\.csv", "columns": '
    ):
        join(tmp_path, text, "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()


def test_the_advice_for_a_first_line_of_data_can_be_followed(tmp_path: Path) -> None:
    """The entry that the message shows joins the table."""
    with pytest.raises(TableError) as refused:
        join(tmp_path, HEADLESS, "o.jsonl")
    entry = json.loads(str(refused.value)[str(refused.value).index("{") :])
    assert entry == {"path": "f.csv", "columns": ["path", "feature"]}
    assert join(tmp_path, HEADLESS, "o.jsonl", columns=entry["columns"]).summary["input_rows"] == 2


@pytest.mark.parametrize(
    "header", ["clip_id,0,1,2", "clip_id,0.5,0.9,a.mp4", "clip_id,2019,2020,-1", "clip_id,,0.25,b.mp4"]
)
def test_a_header_of_numbers_is_accepted(tmp_path: Path, header: str) -> None:
    """A first line that names the key column is a header, whatever the other columns are called."""
    assert join(tmp_path, f"{header}\nT1_D01,0.5,0.25,b.mp4\n", "o.jsonl").summary["input_rows"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,UVQ\na.mp4,1\n", "the first line names columns: 'path', 'UVQ'; .* leave columns out"),
        ("Path,score\na.mp4,1\n", "the first line names columns"),
        ("clip_id,x\na.mp4,1\n", "the first line names columns"),
        ("a.mp4,1,2\n", "found 3 cells in the first line; expected 2, .* the delimiter is ','"),
        ("a.mp4;1\n", None),
        ("a.mp4~1\n", "found 1 cell in the first line; expected 2, .* the delimiter is ','"),
        ("a.mp4,1\nb.mp4\n", "Expected 2 columns, got 1"),
    ],
)
def test_columns_that_do_not_fit_the_file(tmp_path: Path, text: str, message: str | None) -> None:
    """A file that has a header, or another number of cells than names, is not read under these names."""
    if message is None:
        assert join(tmp_path, text, "o.jsonl", columns=["path", "UVQ"]).summary["input_rows"] == 1
        return
    with pytest.raises(TableError, match=message):
        join(tmp_path, text, "o.jsonl", columns=["path", "UVQ"])


@pytest.mark.parametrize(
    ("text", "settings", "seeming"),
    [
        (CVD2014, {"delimiter": ","}, ";"),
        ("clip_id;note;mos\na;x;1\nb;x;y;2\n", {}, ";"),
        ("clip_id\tnote\na\tx\nb\tx\ty\n", {}, "\\t"),
        ("clip_id;x|y\na;1|2\n", {}, ";"),
    ],
)
def test_the_message_names_the_delimiter_that_the_header_seems_to_have(
    tmp_path: Path, text: str, settings: dict[str, str], seeming: str
) -> None:
    """Where the delimiter is in doubt the key column is not found, and the message says what to set."""
    with pytest.raises(TableError) as refused:
        join(tmp_path, text, "o.jsonl", **settings)
    assert "no key column" in str(refused.value)
    assert f"the header seems to have the delimiter '{seeming}': set delimiter" in str(refused.value)


def test_a_headerless_table_of_whole_numbers_is_not_told_for_sure(tmp_path: Path) -> None:
    """Whole numbers may name columns: the key column is not found, and the message gives both cures."""
    with pytest.raises(
        TableError, match=r"no key column.*set key_column to.*if the first line is data, set columns"
    ):
        join(tmp_path, "clip17,3\nclip18,4\n", "o.jsonl")


NOTES = {
    "a text among numbers": (["1.5", "2", "bad", "4"], "row 3 holds 'bad'; 3 other cells would be a number"),
    "infinity": (["inf", "1.5", "2"], "row 1 holds 'inf'; 2 other cells would be a number"),
    "words for none count for nothing": (["NaN", "NaN", "1", "2", "x"], "row 5 holds 'x'; 2 other cells"),
    "a leading zero": (["10", "11", "007"], "row 3 holds '007'; 2 other cells"),
    "beyond a float": (
        ["0.5", "9007199254740993"],
        "row 2 holds '9007199254740993'; no type of number holds it",
    ),
    "beyond every integer": (["1", "99999999999999999999"], "row 2 holds '99999999999999999999'; no type of"),
    "infinite as a float": (["1.5", "1e+400"], r"row 2 holds '1e\+400'; no type of number holds it"),
}
NO_NOTES = {
    "numbers": ["1", "NaN", ".5"],
    "texts": ["a", "b", "1"],
    "as many texts as numbers": ["a", "1"],
    "words for none": ["NA", ""],
    "nothing": ["", ""],
    "pairs beside texts": ["1,5", "x", "y"],
}


@pytest.mark.parametrize(("cells", "note"), NOTES.values(), ids=NOTES.keys())
def test_why_a_column_stays_text_is_noted(tmp_path: Path, cells: list[str], note: str) -> None:
    """Of a column that is text although most of its cells are numbers, the first cell that is none is shown."""
    text = "clip_id,x\n" + "".join(f"c{row},{cell}\n" for row, cell in enumerate(cells))
    assert typed(tmp_path, text + "T1_D01,\n", "x").to_pylist() == [*cells, ""]
    (found,) = json.loads((tmp_path / "a.json").read_text("utf-8"))["notes"]
    assert re.match(f"f.csv: column 'x' stays text: {note}", found)


@pytest.mark.parametrize("cells", NO_NOTES.values(), ids=NO_NOTES.keys())
def test_columns_that_need_no_note(tmp_path: Path, cells: list[str]) -> None:
    """Columns of numbers and columns of text are what a reader expects."""
    text = "clip_id,x\n" + "".join(f'c{row},"{cell}"\n' for row, cell in enumerate(cells))
    typed(tmp_path, text + "T1_D01,\n", "x")
    assert "notes" not in json.loads((tmp_path / "a.json").read_text("utf-8"))


def test_the_row_of_a_note_is_counted_over_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of the parts that a file is read in, rows are counted from its first one."""
    monkeypatch.setattr("pipeline.join.tables.delimited.records._PIECE_BYTES", 64)
    cells = ["1"] * 500 + ["NaN", ".5"] + ["bad"] + ["2"] * 100
    text = "clip_id,x\n" + "".join(f"c{row},{cell}\n" for row, cell in enumerate(cells)) + "T1_D01,3\n"
    assert typed(tmp_path, text, "x").to_pylist() == [*cells, "3"]
    (note,) = json.loads((tmp_path / "a.json").read_text("utf-8"))["notes"]
    assert "row 503 holds 'bad'; 602 other cells would be a number" in note


def test_few_notes_of_many_columns(tmp_path: Path) -> None:
    """Of a table with hundreds of such columns ten are named, and the others counted."""
    names = ",".join(f"x{column}" for column in range(300))
    text = f"clip_id,{names}\n" + "".join(f"c{row}" + f",{row}" * 300 + "\n" for row in range(3))
    typed(tmp_path, text + "T1_D01" + ",bad" * 300 + "\n", "x0")
    notes = json.loads((tmp_path / "a.json").read_text("utf-8"))["notes"]
    assert len(notes) == 11
    assert notes[-1] == "f.csv: 290 more columns stay text like these"


def test_notes_are_shown_by_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`join`, `run` and `check --preview` say what was recognised; the report holds it, as Markdown too."""
    write_text(tmp_path / "f.csv", CVD2014)
    write_jsonl(tmp_path / "s.jsonl", clips("T1_D01", "T1_D02", score=1))
    table = {"id": "t", "features": "f.csv", "scores": ["dover=s.jsonl"], "out": "o.parquet"}
    manifest = write_manifest(tmp_path / "m.json", [table])
    note = "f.csv: delimiter ';' and decimal ',' recognised"
    assert f"\n  {note}\n" in run_main(capsys, "check", manifest, "--preview").out
    assert f"second-opinion: t: {note}\n" in run_main(capsys, "run", manifest).err
    report = json.loads((tmp_path / "m.report.json").read_text("utf-8"))
    assert report["tables"][0]["summary"]["notes"] == [note]
    assert "## Notes\n\n* t: f" in (tmp_path / "m.report.md").read_text("utf-8")
    paths = [f"--{name}={tmp_path / file}" for name, file in (("features", "f.csv"), ("out", "p.csv"))]
    ended = run_main(capsys, "join", *paths, "--scores", f"dover={tmp_path / 's.jsonl'}")
    assert (ended.code, "delimiter ';' and decimal ',' recognised" in ended.err) == (0, True)


def test_an_object_runs_is_reported_and_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report has the entry as it was given, and the audit a command that makes the same table."""
    write_text(tmp_path / "f.csv", "T1_D01~71,17\n")
    write_jsonl(tmp_path / "s.jsonl", clips("T1_D01", score=1))
    features = {"path": "f.csv", "delimiter": "~", "decimal": ",", "columns": ["clip_id", "mos"]}
    table = {
        "id": "t",
        "features": features,
        "scores": ["dover=s.jsonl"],
        "out": "o.jsonl",
        "audit_json": "a.json",
    }
    manifest = write_manifest(tmp_path / "m.json", [table])
    assert run_main(capsys, "run", manifest).code == 0
    report = json.loads((tmp_path / "m.report.json").read_text("utf-8"))
    assert report["tables"][0]["features"] == features
    assert "| f" in (tmp_path / "m.report.md").read_text("utf-8")
    assert run_main(capsys, "status", manifest).code == 0
    made = (tmp_path / "o.jsonl").read_bytes()
    (tmp_path / "o.jsonl").unlink()
    program, *argv = json.loads((tmp_path / "a.json").read_text("utf-8"))["run_provenance"]["argv"]
    monkeypatch.chdir(tmp_path)
    assert (program, run_main(capsys, *argv).code) == ("second-opinion", 0)
    assert (tmp_path / "o.jsonl").read_bytes() == made


def test_an_object_that_sets_nothing_is_its_path(tmp_path: Path) -> None:
    """A path and an object with nothing but a path are the same table: neither is made again for the other."""
    write_text(tmp_path / "f.csv", CVD2014)
    write_jsonl(tmp_path / "s.jsonl", clips("T1_D01", "T1_D02", score=1))
    fingerprints = []
    for features in ("f.csv", {"path": "f.csv"}, {"path": "f.csv", "decimal": None, "columns": None}):
        table = {"id": "t", "features": features, "scores": ["dover=s.jsonl"], "out": "o.jsonl"}
        report = run_manifest(write_manifest(tmp_path / "m.json", [table])).report
        assert report["tables"][0]["features"] == "f.csv"
        fingerprints.append(report["tables"][0]["fingerprint"])
    assert len(set(fingerprints)) == 1


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"path": "f.csv", "delimiter": ";;"}, r"features\.delimiter: found ';;'; expected one sign"),
        ({"path": "f.csv", "delimiter": "\\t"}, r"features\.delimiter: found .* a tab, which JSON spells"),
        ({"path": "f.csv", "decimal": ";"}, r"features\.decimal: found ';'; expected one of \., ,"),
        ({"path": "f.csv", "columns": ["a", "a"]}, r"features\.columns: 'a' occurs twice"),
        ({"path": "f.csv", "columns": []}, r"features\.columns: found \[\]; expected at least one entry"),
        ({"path": "f.csv", "columns": ["\ud800"]}, r"features\.columns: found .*; expected Unicode text"),
        ({"path": "f.csv", "delim": ";"}, r"features\.delim: unknown key; did you mean delimiter"),
        ({"path": "f.parquet", "decimal": ","}, r"features\.decimal: 'f\.parquet' has none; expected \.csv"),
        ({"path": "f.jsonl.gz", "columns": ["a"]}, r"features\.columns: 'f\.jsonl\.gz' has none"),
        ({"delimiter": ";"}, r"features\.path: missing; expected a text"),
        ({"path": "f.txt"}, r"features: found 'f\.txt'; expected one of \.parquet"),
    ],
)
def test_unusable_objects(tmp_path: Path, features: dict[str, Any], message: str) -> None:
    """What an object holds is checked before a file is read; the message names the key."""
    with pytest.raises(UsageError, match=message):
        materialize(features, ["dover=s.jsonl"], "o.jsonl", base_dir=tmp_path)
