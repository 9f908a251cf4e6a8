"""`open_batch`: a batch as a training job opens it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline import SecondOpinionError, cite, load_manifest, open_batch, verify
from pipeline.report.opened import OpenedTable
from tests.support.builders import clips, local, run_manifest, write_jsonl, write_manifest

FORMATS = ("parquet", "jsonl", "json", "csv", "tsv.gz", "jsonl.zst")
READINGS: dict[str, Callable[[OpenedTable], Any]] = {
    "pandas": lambda table: table.to_pandas(),
    "arrow": lambda table: table.to_arrow(),
    "batches": lambda table: next(table.batches()),
}
SCORES = [
    {"clip_id": "c0", "score": 1.5, "runtime_ms": 4},
    {"clip_id": "c1", "score": 2.5, "status": "failed"},
    {"clip_id": "c2", "score": 3.5},
]
PREFIX = "second_opinion_dover"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete batch of one table in each format: four clips, one of them bad, one of them missing."""
    folder = tmp_path_factory.mktemp("made")
    write_jsonl(folder / "f.jsonl", [{**clip, "f": 0.5} for clip in clips("c0", "c1", "c2", "c3")])
    write_jsonl(folder / "dover.jsonl", SCORES)
    tables = [
        {"id": form, "features": "f.jsonl", "scores": ["dover=dover.jsonl"], "out": f"joined/t.{form}"}
        for form in FORMATS
    ]
    assert run_manifest(write_manifest(folder / "m.json", tables)).exit_code == 0
    return folder


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_columns(made: Path, form: str) -> None:
    """Whatever the joined table's format is, names, types and values are the same; a score that is not ok is null."""
    table = open_batch(made / "m.report.json").table(form).to_arrow()
    assert table.schema.remove_metadata() == pa.schema(
        [
            ("clip_id", pa.string()),
            ("f", pa.float64()),
            (f"{PREFIX}_score", pa.float64()),
            (f"{PREFIX}_status", pa.string()),
            (f"{PREFIX}_runtime_ms", pa.float64()),
            (f"{PREFIX}_frames", pa.int64()),
            (f"{PREFIX}_source", pa.string()),
        ]
    )
    assert table[f"{PREFIX}_score"].to_pylist() == [1.5, None, 3.5, None]
    assert table[f"{PREFIX}_status"].to_pylist() == ["ok", "bad", "ok", "missing"]
    assert table[f"{PREFIX}_runtime_ms"].to_pylist() == [4.0, None, None, None]


@pytest.mark.parametrize("form", FORMATS)
def test_the_three_readings_agree(made: Path, form: str) -> None:
    """A frame, an Arrow table and batches hold the same rows, for columns in the requested order."""
    table = open_batch(made / "m.report.json").table(form)
    columns = [f"{PREFIX}_score", "clip_id"]
    whole = table.to_arrow(columns)
    assert whole.column_names == columns
    assert pa.Table.from_batches(table.batches(columns)) == whole.replace_schema_metadata()
    pd.testing.assert_frame_equal(table.to_pandas(columns), whole.to_pandas())


def test_all_scores_are_those_of_the_joined_table(made: Path) -> None:
    """`all` keeps the score of a row that is bad."""
    scores = open_batch(made / "m.report.json").table("parquet").to_pandas(scores="all")[f"{PREFIX}_score"]
    np.testing.assert_array_equal(scores, [1.5, 2.5, 3.5, np.nan])


def test_an_index_of_pandas_comes_back(tmp_path: Path) -> None:
    """A frame that was written with an index has it again, also if it is not among the requested columns."""
    frame = pd.DataFrame({"clip_id": ["c0", "c1"], "f": [1, 2]}, index=pd.Index([7, 9], name="row"))
    frame.to_parquet(tmp_path / "f.parquet")
    write_jsonl(tmp_path / "dover.jsonl", SCORES)
    table = {"id": "t", "features": "f.parquet", "scores": ["dover=dover.jsonl"], "out": "t.parquet"}
    run_manifest(write_manifest(tmp_path / "m.json", [table]))
    opened = open_batch(tmp_path / "m.report.json").table("t")
    pd.testing.assert_frame_equal(opened.to_pandas()[["clip_id", "f"]], frame)
    pd.testing.assert_frame_equal(opened.to_pandas(columns=["f"]), frame[["f"]])


def test_a_copy_of_the_folder_opens(made: Path, tmp_path: Path) -> None:
    """The batch is opened where its folder was copied to, under the same digest."""
    sha256 = open_batch(made / "m.report.json").sha256
    copy = shutil.copytree(made, tmp_path / "copy")
    batch = open_batch(copy / "m.report.json", sha256=sha256.upper())
    assert batch.ids == FORMATS
    assert batch.table("csv").path == copy / "joined/t.csv"
    assert len(batch.table("csv").to_pandas()) == 4


def test_coverage(made: Path) -> None:
    """One row per table and scorer, with the counts of the report and the share of rows with an ok score."""
    coverage = open_batch(made / "m.report.json").coverage
    assert coverage.index.names == ["table", "scorer"]
    assert coverage.loc[("csv", "dover"), ["matched_rows", "bad_rows", "missing_rows", "rows"]].tolist() == [
        2,
        1,
        1,
        4,
    ]
    assert coverage["coverage"].tolist() == [0.5] * len(FORMATS)


def test_another_digest_raises_before_a_table_is_read(made: Path, tmp_path: Path) -> None:
    """A report that is not the cited one raises, whether or not its tables are there."""
    shutil.copy(made / "m.report.json", tmp_path)
    with pytest.raises(SecondOpinionError, match=r"has sha256 [0-9a-f]{64}; expected '0000', as it is cited"):
        open_batch(tmp_path / "m.report.json", sha256="0000")


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS.keys())
def test_a_changed_file_raises_before_a_row_of_it_is_used(
    made: Path, tmp_path: Path, form: str, read: Callable[[OpenedTable], Any]
) -> None:
    """Another valid table under the same name raises, and so does one that cannot be read at all."""
    copy = shutil.copytree(made, tmp_path / "copy")
    table = open_batch(copy / "m.report.json").table(form)
    path = copy / f"joined/t.{form}"
    table.to_pandas().head(2).to_parquet(path) if form == "parquet" else path.write_text("clip_id\nc0\n")
    with pytest.raises(SecondOpinionError, match="changed since the report was written: found sha256"):
        read(open_batch(copy / "m.report.json").table(form))
    path.write_bytes(b"\0")
    with pytest.raises(SecondOpinionError, match="changed since the report was written"):
        read(open_batch(copy / "m.report.json").table(form))


def test_a_file_that_changes_between_batches_raises(made: Path, tmp_path: Path) -> None:
    """A file that is replaced after its first batch was read raises at the latest after the last."""
    copy = shutil.copytree(made, tmp_path / "copy")
    batches = open_batch(copy / "m.report.json").table("parquet").batches()
    next(batches)
    (copy / "joined/t.parquet").write_bytes(b"")
    with pytest.raises(SecondOpinionError, match="changed while it was being read"):
        list(batches)


def test_what_is_not_there_is_named(made: Path) -> None:
    """An unknown table, an unknown column and an unknown choice of scores are refused with what there is."""
    batch = open_batch(made / "m.report.json")
    with pytest.raises(SecondOpinionError, match="found no table 'x'; expected one of 'parquet', 'jsonl'"):
        batch.table("x")
    with pytest.raises(
        SecondOpinionError, match=r"does not have 1 column; expected some of 'clip_id'.*\n.*'mos'"
    ):
        batch.table("csv").to_pandas(["mos", "f"])
    with pytest.raises(SecondOpinionError, match="scores: found 'good'; expected 'ok' or 'all'"):
        batch.table("csv").to_arrow(scores="good")  # type: ignore[arg-type]  # as a user without a type checker


@pytest.mark.parametrize(
    ("use", "what"),
    [(open_batch, "a report"), (cite, "a report"), (verify, "a report"), (load_manifest, "a manifest")],
)
def test_what_is_no_path_is_named(use: Callable[[Any], object], what: str) -> None:
    """An argument that is no path at all, such as a forgotten one, is reported as this project reports errors."""
    with pytest.raises(SecondOpinionError, match=f"found None; expected the path of {what}"):
        use(None)


def test_a_failed_batch_cannot_be_opened(tmp_path: Path) -> None:
    """Only the report of a complete batch can be cited."""
    write_jsonl(tmp_path / "f.jsonl", clips("c0"))
    table = {"id": "t", "features": "f.jsonl", "scores": ["dover=none.jsonl"], "out": "t.jsonl"}
    result = run_manifest(write_manifest(tmp_path / "m.json", [table]))
    assert json.loads(local(result.report_json).read_text("utf-8"))["status"] == "failed"
    with pytest.raises(
        SecondOpinionError, match="the report of a failed batch; expected that of a complete one"
    ):
        open_batch(result.report_json)


def test_columns_are_a_list(made: Path) -> None:
    """One name in place of a list is refused as such, and not letter by letter."""
    table = open_batch(made / "m.report.json").table("csv")
    with pytest.raises(
        SecondOpinionError, match="columns: found the text 'clip_id'; expected a list of names"
    ):
        table.to_pandas("clip_id")
