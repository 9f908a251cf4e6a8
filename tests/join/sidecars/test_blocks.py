"""The fast path of a sidecar says what the way row by row says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import BatchError
from pipeline.join.sidecars import read as sidecars
from pipeline.join.sidecars import rows
from pipeline.join.sidecars.blocks import Plain, read_plain
from pipeline.join.sidecars.read import read_sidecar
from pipeline.join.sidecars.rows import Block, line_feeds
from pipeline.join.sidecars.scores import ScoreReader
from pipeline.join.tables.json import alike as json_alike
from pipeline.manifest.entries import SidecarEntry
from pipeline.manifest.options import JoinOptions

ENTRIES = (
    {"path": "s.jsonl", "label": "dover"},
    {"path": "s.jsonl"},
    {"path": "s.jsonl", "label": "dover", "score_field": "vmaf"},
    {"path": "s.jsonl", "label": "dover", "key_field": "name"},
    {"path": "s.jsonl", "label": "dover", "score_fields": {"t": "score", "a": "vmaf"}},
    {"path": "s.jsonl", "label": "dover", "key_from": "file"},
)

keys = st.sampled_from(
    ['"a"', '"b"', '"x/c.mp4"', '" d "', '""', '" "', "7", "7.0", "null", "true", '"2024-01-01"']
)
plain_numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr), st.integers(-9, 2**70).map(str)
)
odd_values = st.sampled_from(
    [
        "null",
        "-0",
        "-0.0",
        "NaN",
        "Infinity",
        "1e999",
        '"0.5"',
        '"x"',
        "true",
        "[]",
        "{}",
        '{"score": 1}',
        "9" * 400,
        "1e-400",
        '"\\ud800"',
        '"\\u0000"',
        '"é"',
        '"2024-01-01T00:00:00Z"',
        '[{"score": 1}]',
    ]
)
statuses = st.sampled_from(['"ok"', '"PASS "', '""', "null", '"failed"', "false", "1", '"\\u001f"'])
frames = st.lists(
    st.dictionaries(
        st.sampled_from(["score", "frame", "runtime_ms", "Score", "mos"]),
        plain_numbers | odd_values,
        max_size=3,
    ).map(lambda fields: "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"),
    max_size=3,
).map(lambda each: "[" + ", ".join(each) + "]")
VALUES = {
    "clip_id": keys,
    "name": keys,
    "Clip_ID": keys,
    "score": plain_numbers | odd_values,
    "vmaf": plain_numbers | odd_values,
    "mos": plain_numbers | odd_values,
    "runtime_ms": plain_numbers | odd_values,
    "elapsed_ms": plain_numbers | odd_values,
    "status": statuses,
    "STATUS": statuses,
    "competitor": st.sampled_from(['"dover"', '"DOVER"', '"musiq"', "null", '" "', "7"]),
    "frames": frames | odd_values,
    "summary": st.sampled_from(["null", "{}", '{"score": 2}', '{"status": "failed"}', "3"]),
    "extra": plain_numbers | odd_values | frames,
}
PLAIN = ("clip_id", "score", "runtime_ms", "status", "extra")
objects = st.one_of(
    st.fixed_dictionaries({"clip_id": keys, "score": plain_numbers}, optional={"status": statuses}),
    st.fixed_dictionaries({"clip_id": keys, "frames": frames}, optional={"status": statuses}),
    st.fixed_dictionaries({}, optional={name: VALUES[name] for name in PLAIN}),
    st.fixed_dictionaries({}, optional=VALUES),
).map(lambda fields: "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}")
odd_lines = st.sampled_from(
    [
        "",
        " ",
        "[1]",
        "{",
        "}",
        '{"clip_id": "a", "score": 1',
        "null",
        "\ufeff",
        "\x00",
        '{"a": 1, "a": 2}',
        '{"clip_id": "e", "score": 1} {"clip_id": "f", "score": 2}',
        '{"clip_id":',
        '"g"}',
        '"�"',
    ]
)
ends = st.sampled_from(["\n"] * 20 + ["\r\n", " \n", "\r", ""])
lines = st.tuples(objects | odd_lines, ends).map("".join)
alike = st.lists(st.sampled_from([*VALUES]), min_size=2, max_size=5, unique=True).flatmap(
    lambda names: st.lists(
        st.tuples(*(VALUES[name] for name in names)).map(
            lambda values: "{" + ", ".join(f'"{n}": {v}' for n, v in zip(names, values, strict=True)) + "}\n"
        ),
        max_size=6,
    )
)
contents = st.lists(lines, max_size=6) | st.lists(objects.map(lambda line: line + "\n"), max_size=6) | alike


def read(content: bytes) -> Plain:
    """What the fast path says of the first lines of a file."""
    reader = ScoreReader(SidecarEntry("s.jsonl", label="dover"), JoinOptions())
    return read_plain(Block(1, content, line_feeds(content)), reader, lambda _field, keys: keys)


def told(folder: Path, entry: dict[str, Any]) -> object:
    """All that a sidecar says, or what is wrong with it."""
    try:
        found = read_sidecar(SidecarEntry.of(entry, folder), folder, JoinOptions())
    except BatchError as exc:
        return str(exc)
    return sorted(
        (each.label, each.key_field, str(each.recall()), str(each.records.to_pydict())) for each in found
    )


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=contents.map("".join), entry=st.sampled_from(ENTRIES), block=st.sampled_from([40, 1 << 20]))
def test_fast_path_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, entry: dict[str, Any], block: int
) -> None:
    """Scores, their order and the faults are the same with the fast path and without, whatever a file holds."""
    (tmp_path / "s.jsonl").write_bytes(content.encode("utf-8", "surrogatepass"))
    monkeypatch.setattr(rows, "BLOCK_BYTES", block)
    monkeypatch.setattr(json_alike, "MIN_LINES", 0)
    fast = told(tmp_path, entry)
    with monkeypatch.context() as without:
        without.setattr(sidecars, "read_plain", lambda *_: Plain("", [], None))
        assert told(tmp_path, entry) == fast


PLAIN_LINES = {
    "path and score": {"path": "x/a.mp4", "score": 0.25},
    "all fields": {"clip_id": 7, "score": 3, "runtime_ms": 1.5, "status": "ok", "competitor": "DOVER"},
    "failed": {"clip_id": "a", "score": None, "status": "failed"},
    "frames": {"video_id": "a", "frames": [{"frame": 0, "score": 1.5}, {"frame": 1, "score": 2}]},
    "frames with runtime": {"video_id": "a", "frames": [{"score": 1.5, "elapsed_ms": 3}]},
    "more than it needs": {"clip_id": "a", "score": 1, "model": {"name": "m", "seeds": [1, 2]}, "fps": 25.0},
}


@pytest.mark.parametrize("row", PLAIN_LINES.values(), ids=PLAIN_LINES.keys())
def test_plain_rows_take_the_fast_path(row: dict[str, Any]) -> None:
    """Rows as scorers write them are read at once; none is left to be read for itself."""
    content = (json.dumps(row) + "\n").encode() * 3
    plain = read(content)
    assert (plain.left, sum(batch.num_rows for _, batch in plain.scored)) == ([], 3)


def test_rows_that_are_not_plain_do_not_hold_up_the_others() -> None:
    """A row without a score in a block of plain rows is read for itself, and only that row."""
    plain_row, odd_row = b'{"clip_id": "a", "score": 1}\n', b'{"clip_id": "b", "score": null}\n'
    assert read(plain_row + odd_row + plain_row).left == [1]


@pytest.mark.parametrize("depth", [300, 2_000, 20_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["lists", "objects"])
def test_depth_is_told_row_by_row(tmp_path: Path, depth: int, opening: str) -> None:
    """A row that is nested deeper than anyone writes is an error of its line, or harmless; it ends no process."""
    closing = "]" if opening == "[" else "}"
    row = f'{{"clip_id": "a", "score": 1, "x": {opening * depth}1{closing * depth}}}\n'
    (tmp_path / "s.jsonl").write_text('{"clip_id": "b", "score": 1}\n' + row)
    found = told(tmp_path, ENTRIES[0])
    assert ("nested too deeply" in str(found)) == (depth > 1_000)


def test_names_that_differ_from_row_to_row(tmp_path: Path) -> None:
    """Rows that each have a field of their own make no table of all names."""
    lines = [f'{{"clip_id": "c{row}", "score": {row}, "k{row}": 1}}\n' for row in range(2_000)]
    (tmp_path / "s.jsonl").write_text("".join(lines))
    assert read("".join(lines).encode()).left is None
    (scores,) = read_sidecar(SidecarEntry("s.jsonl", label="dover"), tmp_path, JoinOptions())
    assert scores.records["score"].to_pylist() == [float(row) for row in range(2_000)]
