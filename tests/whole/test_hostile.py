"""Whatever bytes a file holds: a result or an error of ours, soon, in bounded memory, and no other file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS
from pipeline.join.materialize import materialize
from pipeline.manifest.batch import load_manifest
from pipeline.manifest.options import JoinOptions
from tests.support import hostile
from tests.support.builders import run_main, small_batch
from tests.support.hostile import MEGABYTE, PARQUET, ending, zstd

FOUND = Path(__file__).parents[1] / "data" / "fuzz"
MARK = JoinOptions(missing_policy="mark")
OUTPUTS = st.sampled_from(["o.jsonl", "o.json", "o.csv", "o.tsv.gz", "o.parquet"])
MAX_MEGABYTES = 1000
few = settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@contextmanager
def folder_with(**files: bytes) -> Iterator[Path]:
    """A folder for one example, with these files and what else hostile names may lead to."""
    with tempfile.TemporaryDirectory() as name:
        hostile.write_folder(Path(name), files)
        yield Path(name)


@few
@given(hostile.text_files(), st.sampled_from(["a=", ""]))
def test_any_sidecar(file: tuple[str, bytes], label: str) -> None:
    """A sidecar is joined or refused, whatever it holds."""
    name, content = f"s.{file[0]}", file[1]
    with folder_with(**{name: content}) as folder, ending(folder, "o.jsonl"):
        materialize("f.jsonl", [f"{label}{name}"], "o.jsonl", options=MARK, base_dir=folder)


@few
@given(hostile.text_files(), OUTPUTS)
def test_any_feature_table(file: tuple[str, bytes], out: str) -> None:
    """A feature table is joined or refused, whatever it holds and whatever it shall become."""
    name, content = f"f.{file[0]}", file[1]
    with folder_with(**{name: content}) as folder, ending(folder, out):
        materialize(name, ["a=s.jsonl"], out, options=MARK, base_dir=folder)


@few
@given(hostile.mutated(PARQUET), OUTPUTS)
def test_any_parquet_table(content: bytes, out: str) -> None:
    """A Parquet table with some bytes flipped, cut or doubled is joined or refused."""
    with folder_with(**{"f.parquet": content}) as folder, ending(folder, out):
        materialize("f.parquet", ["a=s.jsonl"], out, options=MARK, base_dir=folder)


@few
@given(hostile.manifests())
def test_any_manifest(content: bytes) -> None:
    """A manifest is sound or refused, and looking at it writes nothing."""
    with folder_with(**{"m.json": content}) as folder, ending(folder):
        for table in load_manifest(folder / "m.json").tables:
            table.missing(folder)


@pytest.mark.parametrize("name", ["a\rb", "a b", "a=b", "%s", "..b", "-b", "s*", "[a]?"])
@pytest.mark.parametrize("role", ["features", "scores", "out"])
def test_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, role: str
) -> None:
    """A file may have any name that is one line of text: it is read, and written, under just that name."""
    monkeypatch.chdir(tmp_path)
    file = f"{name}.jsonl"
    changed: dict[str, Any] = {role: [f"x={file}"] if role == "scores" else file}
    manifest = small_batch(tmp_path, **changed)
    if role != "out":
        (tmp_path / ("features.jsonl" if role == "features" else "dover.jsonl")).rename(tmp_path / file)
    ended = run_main(capsys, "run", manifest)
    assert ended.code == 0, ended.err
    assert len((tmp_path / (file if role == "out" else "joined/t.jsonl")).read_bytes().splitlines()) == 3


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_found(tmp_path: Path, target: str) -> None:
    """Inputs that reached something new when the project was fuzzed end well or with one of our errors."""
    found = sorted((FOUND / target).iterdir())
    assert len(found) > 20
    for path in found:
        TARGETS[target](path.read_bytes(), tmp_path)


@dataclass(frozen=True)
class Bomb:
    """A file that would take gigabytes.

    Attributes:
        suffix: its format.
        content: what makes it.
        says: a regular expression that what is said of it must match.
        role: what it is taken for.
    """

    suffix: str
    content: Callable[[], bytes]
    says: str
    role: str = "scores"


def _unpacking(unit: bytes) -> Callable[[], bytes]:
    """64 kB that unpack to two gigabytes."""
    return lambda: zstd(unit * 16 * MEGABYTE) * 128


WIDE = '{"clip_id":"b","x":"\U0001f600'.encode()
BOMBS = {
    "one line": Bomb("jsonl.zst", _unpacking(b"x"), "unpacks to more than 1000 times its size"),
    "one line of a table": Bomb("jsonl.zst", _unpacking(b"x"), "unpacks to more than 1000 times", "features"),
    "one document": Bomb("json.zst", _unpacking(b"["), "unpacks to more than 1000 times"),
    "one record": Bomb("csv.zst", _unpacking(b","), "line 1: more than 16 MB"),
    "one record of a table": Bomb("csv.zst", _unpacking(b","), "line 1: more than 16 MB", "features"),
    "objects": Bomb("json", lambda: b"[" + b'{"a":1},' * 6_000_000 + b"1]", "at most 10000000", "features"),
    "lists in a line": Bomb("jsonl", lambda: b'{"x":[' + b"[]," * 6_000_000 + b"1]}", "at most 10000000"),
    "wide text": Bomb("jsonl", lambda: WIDE + b"a" * 50 * MEGABYTE + b'"}', "no row matched", "features"),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_file_that_would_fill_the_memory(tmp_path: Path, bomb: Bomb) -> None:
    """A file of 50 MB, or one of a few kB that unpacks to gigabytes, takes a gigabyte at most and has its answer."""
    hostile.write_folder(tmp_path, {f"bomb.{bomb.suffix}": bomb.content()})
    features, scores = {
        "features": (f"bomb.{bomb.suffix}", "s.jsonl"),
        "scores": ("f.jsonl", f"bomb.{bomb.suffix}"),
    }[bomb.role]
    with ending(tmp_path, "stderr"):
        code, err, peak = hostile.ended(
            tmp_path, "join", "--features", features, "--scores", f"a={scores}", "--out", "o.jsonl"
        )
    assert code == 1, err
    assert re.search(bomb.says, err), err
    assert "Traceback" not in err
    assert peak < MAX_MEGABYTES
