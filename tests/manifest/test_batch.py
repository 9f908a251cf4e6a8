"""A manifest becomes a checked batch, or one error that tells all its faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ManifestError
from pipeline.manifest import batch
from pipeline.manifest.batch import default_report, failed_path, load_manifest
from pipeline.manifest.options import OPTIONS, JoinOptions
from pipeline.storage.schema import load_schema, violations
from tests.support.builders import small_batch, write_json, write_jsonl, write_manifest, write_text

ENTRY: dict[str, object] = {"id": "t", "features": "f.csv", "scores": ["dover=d.csv"], "out": "t.csv"}
OTHER_VALUES = {
    "key_column": "clip",
    "key_columns": ["clip", "frame"],
    "score_key_field": "clip",
    "score_key_fields": ["id", "n"],
    "score_field": "pooled.mean",
    "key_normalize": "stem",
    "key_regex": "(a)",
    "score_key_regex": "(b)",
    "missing_policy": "drop",
    "min_coverage": 0.5,
    "prefix": "nr",
    "overwrite": True,
}

TOGETHER = ["key_columns", "score_key_fields"]
"""Options that are set together or not at all."""


@pytest.mark.parametrize("option", [option.name for option in OPTIONS])
def test_every_option_may_stand_in_the_defaults_and_be_overridden_by_a_table(
    option: str, tmp_path: Path
) -> None:
    """A table has the default of the manifest, else of the option, unless it says otherwise itself."""
    names = TOGETHER if option in TOGETHER else [option]
    other = {name: OTHER_VALUES[name] for name in names}
    usual = {name: getattr(JoinOptions(), name) for name in names}
    tables = [ENTRY, ENTRY | {"id": "u", "out": "u.csv"} | usual]
    by_default, overridden = load_manifest(write_manifest(tmp_path / "m.json", tables, **other)).tables
    assert by_default.options.as_json() == JoinOptions().as_json() | other
    assert overridden.options == JoinOptions()
    plain = load_manifest(write_manifest(tmp_path / "m.json", [ENTRY | other])).tables[0]
    assert plain.options.as_json()[option] == OTHER_VALUES[option]


def test_a_manifest_needs_no_defaults_and_may_name_its_schema(tmp_path: Path) -> None:
    """Only `tables` is required; `$schema`, which editors read, and a byte order mark are no faults."""
    document = json.dumps({"$schema": "manifest.schema.json", "tables": [ENTRY]})
    batch = load_manifest(write_text(tmp_path / "m.json", "\ufeff" + document))
    assert [table.id for table in batch.tables] == ["t"]
    assert batch.tables[0].options == JoinOptions()
    assert batch.tables[0].audit_json is None


def test_tables_keep_the_order_of_the_manifest(tmp_path: Path) -> None:
    """The report lists tables as the manifest does, and each is found by its id."""
    ids = ["b", "a.2", "A-1", "0_c"]
    tables = [ENTRY | {"id": each, "out": f"{each}.csv"} for each in ids]
    batch = load_manifest(write_manifest(tmp_path / "m.json", tables))
    assert [table.id for table in batch.tables] == ids
    assert batch.table("A-1").out == "A-1.csv"


def test_an_unknown_table_is_named(tmp_path: Path) -> None:
    """Asking a batch for a table that it has not is an error that names the manifest and the id."""
    with pytest.raises(ManifestError, match=r"m\.json: no table has the id 'x'"):
        load_manifest(small_batch(tmp_path)).table("x")


def test_relative_paths_resolve_from_the_folder_of_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder is of no account: the manifest's folder is the base, unless one is given."""
    small_batch(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    batch = load_manifest("in/m.json")
    assert [path for _, path in batch.tables[0].inputs(batch.base_dir)] == [
        Path("in/features.jsonl"),
        Path("in/dover.jsonl"),
    ]
    moved = load_manifest("in/m.json", base_dir=tmp_path)
    assert dict(moved.tables[0].outputs(moved.base_dir)) == {"out": tmp_path / "joined/t.jsonl"}


def test_the_report_stands_beside_the_manifest_unless_told_otherwise(tmp_path: Path) -> None:
    """`m.report.json` and `.md` beside `m.json`, whatever the base folder; the Markdown follows the report."""
    manifest = small_batch(tmp_path / "in")
    batch = load_manifest(manifest, base_dir=tmp_path)
    assert batch.report_json == default_report(manifest) == tmp_path / "in/m.report.json"
    assert batch.report_md == tmp_path / "in/m.report.md"
    told = load_manifest(manifest, report_json=tmp_path / "out/r.json")
    assert (told.report_json, told.report_md) == (tmp_path / "out/r.json", tmp_path / "out/r.md")
    both = load_manifest(manifest, report_json="a.json", report_md="b.md")
    assert (both.report_json, both.report_md) == (Path("a.json"), Path("b.md"))


def test_a_failed_report_has_a_name_of_its_own() -> None:
    """A failed batch leaves the last good report as it was."""
    assert failed_path(Path("in/m.report.json")) == Path("in/m.report.failed.json")
    assert failed_path(Path("in/m.report.md")) == Path("in/m.report.failed.md")


def test_all_faults_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    """Faults of shape and faults of sense, of every table, stand in one error with what is expected."""
    tables: list[dict[str, object]] = [
        ENTRY | {"key_normalise": "raw"},
        ENTRY | {"id": "t 2", "scores": [], "out": 7},
        ENTRY | {"out": "t.xlsx", "audit_json": ".."},
        ENTRY | {"id": "v", "out": "v.csv", "scores": ["d.csv", {"path": "e.csv", "format": "xml"}]},
    ]
    with pytest.raises(ManifestError) as raised:
        load_manifest(write_manifest(tmp_path / "m.json", tables, missing_policy="keep", key_regex="x"))
    told = str(raised.value).splitlines()
    assert told[0] == f"{tmp_path / 'm.json'}: 10 faults in the manifest; nothing was written"
    assert [line.removeprefix("  - ").split(": ")[0] for line in told[1:]] == [
        "defaults.missing_policy",
        "tables[0].key_normalise",
        "tables[1].id",
        "tables[1].out",
        "tables[1].scores",
        "tables[3].scores[1].format",
        "defaults.key_regex",
        "tables[2].out",
        "tables[2].audit_json",
        "tables[2].id",
    ]
    assert "found 'keep'; expected one of mark, drop, fail" in told[1]


def test_no_output_is_an_input_by_way_of_a_link(tmp_path: Path) -> None:
    """An output that names an input through a linked folder would overwrite it: a fault."""
    manifest = small_batch(tmp_path, audit_json="link/features.jsonl", out="link/dover.jsonl")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ManifestError, match=r"2 faults") as raised:
        load_manifest(manifest)
    assert "tables[0].out: " in str(raised.value)
    assert "is also read, as tables[0].scores[0]" in str(raised.value)
    assert "is also read, as tables[0].features" in str(raised.value)


def test_no_output_is_a_file_that_a_pattern_matches(tmp_path: Path) -> None:
    """An output must not become a sidecar of the batch: a file that a pattern matches is its input."""
    write_text(tmp_path / "nr/a.json", "{}")
    manifest = small_batch(tmp_path, scores=["dover=nr/*.json"], audit_json="nr/a.json")
    with pytest.raises(
        ManifestError, match=r"audit_json: .* is also read, as tables\[0\]\.scores\[0\]/nr/a\.json"
    ):
        load_manifest(manifest)


def test_every_repeated_key_is_told_with_its_place(tmp_path: Path) -> None:
    """A key that stands twice is a fault wherever it is: one of its values would be lost."""
    text = (
        '{"tables": [{"id": "a", "id": "b", "scores": [{"path": "d.csv", "path": "e.csv"}]}], "tables": []}'
    )
    inner = text.replace(', "tables": []', "")
    with pytest.raises(ManifestError, match=r"\n  - tables: the key appears twice"):
        load_manifest(write_text(tmp_path / "m.json", text))
    with pytest.raises(
        ManifestError, match=r"- tables\[0\]\.id: .*twice.*\n  - tables\[0\]\.scores\[0\]\.path: .*twice"
    ):
        load_manifest(write_text(tmp_path / "m.json", inner))


def test_the_batch_names_the_bytes_of_its_manifest(tmp_path: Path) -> None:
    """The digest is that of the file as it was read, and another spelling is another manifest."""
    first = load_manifest(write_json(tmp_path / "a.json", {"tables": [ENTRY]}))
    second = load_manifest(write_text(tmp_path / "b.json", json.dumps({"tables": [ENTRY]}, indent=1)))
    assert first.sha256 != second.sha256
    assert first.tables == second.tables


@pytest.mark.parametrize(
    "out", ["scores/joined.jsonl", "scores/deep/er.jsonl", "m.run-log.jsonl", "m.lock.csv"]
)
def test_no_output_is_what_a_pattern_would_read(tmp_path: Path, out: str) -> None:
    """An output that a pattern of scores would match is refused before it is there; a later run would read it."""
    write_jsonl(tmp_path / "scores/a.jsonl", [{"clip_id": "a", "score": 1}])
    entry = {
        "id": "t",
        "features": "f.csv",
        "scores": [{"path": "scores/**/*.jsonl", "label": "x"}],
        "out": out,
    }
    manifest = write_manifest(tmp_path / "m.json", [entry])
    if out == "m.lock.csv":
        load_manifest(manifest)
        return
    wrong = r"would be read, as tables\[0\]\.scores\[0\]|is also the run log"
    with pytest.raises(ManifestError, match=wrong):
        load_manifest(manifest)


def test_a_broken_option_hides_no_other_fault(tmp_path: Path) -> None:
    """A table with a wrong option, an unknown key and a wrong output has three faults, told at once."""
    entry = {
        "id": "t",
        "features": "f.csv",
        "scores": ["x=s.csv"],
        "out": "o.xls",
        "missing_policy": "x",
        "prefx": "a",
    }
    manifest = write_manifest(tmp_path / "m.json", [entry])
    with pytest.raises(ManifestError, match="3 faults in the manifest") as raised:
        load_manifest(manifest)
    for said in (
        "prefx: unknown key; did you mean prefix?",
        "missing_policy: found 'x'",
        "out: found 'o.xls'",
    ):
        assert said in str(raised.value)


@pytest.mark.parametrize("given", [("r.md", None), ("x", "x"), ("x", "./x")])
def test_the_report_is_two_files(tmp_path: Path, given: tuple[str, str | None]) -> None:
    """JSON and Markdown cannot be one file, of which one would overwrite the other."""
    manifest = write_manifest(tmp_path / "m.json", [ENTRY])
    report, markdown = (None if each is None else tmp_path / each for each in given)
    with pytest.raises(
        ManifestError, match=r"\(Markdown\): '.*' is also the report .* \(JSON\); expected a file"
    ):
        load_manifest(manifest, report_json=report, report_md=markdown)


@pytest.mark.parametrize("role", ["report_json", "report_md"])
def test_a_report_that_is_a_folder(tmp_path: Path, role: str) -> None:
    """A folder where the report should go is told before anything is made."""
    (tmp_path / "r").mkdir()
    manifest = write_manifest(tmp_path / "m.json", [ENTRY])
    with pytest.raises(
        ManifestError, match=r"the report: found a folder at '.*r'; expected a file or nothing"
    ):
        load_manifest(manifest, **{role: tmp_path / "r"})


@pytest.mark.parametrize("out", [".m.report.json.state/t.csv", ".m.report.json.state/deep/t.csv"])
def test_the_folder_of_records_takes_no_output(tmp_path: Path, out: str) -> None:
    """Where the project keeps its own records no table may go."""
    manifest = write_manifest(tmp_path / "m.json", [ENTRY | {"out": out}])
    with pytest.raises(
        ManifestError, match=r"tables\[0\]\.out: .* is inside the folder of the project's own records"
    ):
        load_manifest(manifest)


def test_a_name_that_no_folder_can_have(tmp_path: Path) -> None:
    """A base folder whose name is too long for any is not there."""
    manifest = write_manifest(tmp_path / "m.json", [ENTRY])
    with pytest.raises(ManifestError, match="base folder: found no folder at"):
        load_manifest(manifest, tmp_path / ("x" * 300))


def test_faults_without_number_are_soon_told(tmp_path: Path) -> None:
    """Of a manifest that is wrong everywhere the first faults are told, and no more are looked for than a thousand."""
    write_json(tmp_path / "m.json", {"tables": [{}] * 20_000, "x": 1})
    with pytest.raises(
        ManifestError, match=r"(?s)at least 1000 faults.*tables\[0\]\.features: missing.*and 990 more"
    ) as told:
        load_manifest(tmp_path / "m.json")
    assert len(str(told.value).splitlines()) == 12


def test_many_unknown_keys_are_soon_told(tmp_path: Path) -> None:
    """What a misspelled key may have meant is looked for as far as it is shown."""
    write_json(tmp_path / "m.json", {"tables": [], **{f"tabels{key}": 1 for key in range(50_000)}})
    with pytest.raises(ManifestError, match=r"tabels0: unknown key; did you mean tables\?"):
        load_manifest(tmp_path / "m.json")


PLACES = st.sampled_from(["f.csv", "", 1, None, ["d.csv"], {"path": "f.csv"}, {"pth": "f.csv"}])
TABLES: st.SearchStrategy[object] = st.one_of(
    st.just(ENTRY),
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["t", "", "-t", "t t", "t\n", "é", "x" * 200, "x" * 201, 1, None]),
            "features": PLACES,
            "scores": st.lists(PLACES, max_size=2) | st.sampled_from(["d.csv", None, {}]),
            "out": PLACES,
        },
        optional={"audit_json": PLACES, "overwrite": st.sampled_from([True, 1]), "typo": st.just(1)},
    ),
    st.sampled_from([{}, [], None, "t", ENTRY | {"evidence": 1}, {"id": "t"}]),
)


@given(
    tables=st.lists(TABLES, max_size=4) | st.sampled_from([None, {}]),
    others=st.sampled_from([{}, {"defaults": {}}, {"defaults": 1}, {"typo": 1}]),
)
def test_plain_tables_need_no_schema(tables: object, others: dict[str, object]) -> None:
    """A manifest has exactly the violations that its schema has, although plain tables are not held against it."""
    raw = {"tables": tables, **others}
    assert batch._violations(raw) == violations(raw, load_schema("manifest"))
