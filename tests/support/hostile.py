"""Files as a hostile or broken program would write them: strategies of bytes, and what must hold of whatever reads them."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from pipeline.errors import SecondOpinionError
from tests.support.processes import COMMAND, DEADLINE_SECONDS, environment

MEGABYTE = 1 << 20
ODD_NUMBERS = (
    *(
        "0",
        "-0",
        "-0.0",
        "1e-400",
        "1e308",
        "1e309",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        "1_0",
        "0x1",
    ),
    *("9223372036854775808", "-9223372036854775809", "18446744073709551616", "9" * 400, "9" * 5000),
)
ODD_TEXTS = (
    *(
        '""',
        r'"\ud800"',
        r'"\udc80\ud800"',
        r'"\u0000"',
        r'"a\nb"',
        r'"\u2028"',
        '"\U0001f600"',
        r'"\ud83d\ude00"',
    ),
    *(
        '"a"',
        '" a "',
        '"../a"',
        '"a/b.mp4"',
        '"%s%n"',
        '"a=b"',
        '"-1"',
        '"1e999"',
        '"null"',
        '"' + "x" * 300 + '"',
    ),
)
FIELDS = (
    *(
        "clip_id",
        "Clip_ID",
        "path",
        "name",
        "score",
        "SCORE",
        "mos",
        "status",
        "competitor",
        "summary",
        "frames",
    ),
    *("runtime_ms", "rows", "results", "a.b", "", "x", r"\ud800", r"\u0000", "second_opinion_a_score"),
)
_SCALARS = st.sampled_from(["null", "true", "false", *ODD_NUMBERS, *ODD_TEXTS])
_NAMES = st.sampled_from([f'"{name}"' for name in FIELDS])


def _object(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects, some with a key that stands twice."""
    return st.lists(st.tuples(_NAMES, values), max_size=6).map(
        lambda pairs: "{" + ",".join(f"{name}: {value}" for name, value in pairs) + "}"
    )


def _nested(value: str) -> Iterator[str]:
    for levels in (100, 100_000):
        yield "[" * levels + value + "]" * levels
        yield '{"a":' * levels + value + "}" * levels


VALUES = st.recursive(
    _SCALARS | st.sampled_from([*_nested("1")]),
    lambda inner: st.lists(inner, max_size=3).map(lambda found: f"[{','.join(found)}]") | _object(inner),
    max_leaves=6,
)
ROWS = _object(VALUES) | st.just('{"clip_id": "a", "score": 1}')
CELLS = st.sampled_from(
    [text.strip('"') for text in (*ODD_TEXTS, *ODD_NUMBERS)] + ['"', '""', '"a,\n"', "\0", "\r"]
)


def _text(form: str) -> st.SearchStrategy[str]:
    """Documents that are nearly of that format."""
    rows = st.lists(ROWS, max_size=4)
    match form:
        case "jsonl":
            return rows.map("\n".join)
        case "json":
            return rows.map(lambda found: f"[{','.join(found)}]") | ROWS | VALUES | rows.map("".join)
        case _:
            comma = "\t" if form == "tsv" else ","
            names = st.lists(st.sampled_from([*FIELDS, " score "]), min_size=1, max_size=4)
            records = st.lists(st.lists(CELLS, max_size=4).map(comma.join), max_size=4)
            return st.tuples(names.map(comma.join), records).map(
                lambda found: "\n".join([found[0], *found[1]])
            )


def zstd(content: bytes) -> bytes:
    """`content` as a `.zst` file holds it."""
    sink = pa.BufferOutputStream()
    with pa.output_stream(sink, compression="zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".zst": zstd,
}
_ENCODINGS: tuple[Callable[[str], bytes], ...] = (
    lambda text: text.encode("utf-8", "surrogatepass"),
    lambda text: b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass"),
    lambda text: text.replace("\n", "\r\n").encode("utf-8", "surrogatepass"),
    lambda text: text.encode("utf-16", "surrogatepass"),
    lambda text: text.encode("utf-8", "surrogatepass") + b"\xff\xfe\0",
)


@st.composite
def mutated(draw: st.DrawFn, sound: bytes) -> bytes:
    """Bytes with some flipped, a part cut out or a part twice."""
    content = bytearray(sound)
    for _ in range(draw(st.integers(0, 3))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        match draw(st.sampled_from(["flip", "cut", "double", "end"])):
            case "flip" if start < len(content):
                content[start] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del content[start:end]
            case "double":
                content[end:end] = content[start:end]
            case _:
                del content[start:]
    return bytes(content)


@st.composite
def text_files(
    draw: st.DrawFn, forms: tuple[str, ...] = ("jsonl", "json", "csv", "tsv")
) -> tuple[str, bytes]:
    """A suffix and the bytes of a file that is nearly what the suffix says."""
    form, packing = draw(st.sampled_from(forms)), draw(st.sampled_from([*PACKERS]))
    plain = draw(st.sampled_from(_ENCODINGS))(draw(_text(form)))
    return f"{form}{packing}", draw(mutated(PACKERS[packing](plain)))


def _parquet() -> bytes:
    table = pa.table(
        {
            "clip_id": [f"c{row}" for row in range(20)],
            "x": [row / 3 for row in range(20)],
            "n": [[row, None] for row in range(20)],
            "s": [{"a": str(row), "b": None} for row in range(20)],
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=8, write_page_index=True)
    return sink.getvalue()


PARQUET = _parquet()
_KEYS = (
    *(
        "id",
        "features",
        "scores",
        "out",
        "audit_json",
        "key_column",
        "key_normalize",
        "key_regex",
        "score_key_regex",
    ),
    *(
        "prefix",
        "min_coverage",
        "missing_policy",
        "overwrite",
        "path",
        "label",
        "score_fields",
        "key_from",
        "x",
        "id",
    ),
)
_PATHS = (
    *(
        "f.jsonl",
        "s.jsonl",
        "o.jsonl",
        "o.parquet",
        "../o.csv",
        "",
        ".",
        "..",
        "a\\nb.csv",
        "a b.tsv",
        "a=s.jsonl",
    ),
    *(
        "=s.jsonl",
        "**/*.jsonl",
        "*" * 50 + ".json",
        "loop/**/*.jsonl",
        "loop",
        "%00.csv",
        r"\u0000.csv",
        r"\ud800.csv",
    ),
    *(
        "m.json",
        "m.report.json",
        "/dev/null",
        "/dev/zero",
        "x" * 300 + ".csv",
        "o.csv.gz",
        "folder",
        "folder/o.csv",
    ),
)
_SETTINGS = st.sampled_from(
    [f'"{path}"' for path in _PATHS] + ['"(a"', '"(a)|(b)"', '"mark"', '"stem"', '"file"']
)


_SOUND_TABLE = {"id": '"t"', "features": '"f.jsonl"', "scores": '["a=s.jsonl"]', "out": '"o.jsonl"'}


def _spelled(changes: list[tuple[str, str]]) -> str:
    """The JSON of a table's entry: sound but for some changes, of which a fourth stands beside what it changes."""
    pairs = [*(_SOUND_TABLE | dict(changes[:3])).items(), *changes[3:]]
    return "{" + ",".join(f'"{name}": {value}' for name, value in pairs) + "}"


@st.composite
def manifests(draw: st.DrawFn) -> bytes:
    """The bytes of a manifest that is nearly one."""
    setting = _SETTINGS | _SCALARS
    setting |= st.lists(setting, max_size=3).map(lambda found: f"[{','.join(found)}]")
    changes = st.lists(st.tuples(st.sampled_from(_KEYS), setting), max_size=4)
    tables = draw(st.lists(changes.map(_spelled) | VALUES, min_size=1, max_size=3))
    defaults = draw(st.just("{}") | _object(setting))
    text = f'{{"defaults": {defaults}, "tables": [{",".join(tables)}]}}'
    return draw(mutated(draw(st.sampled_from(_ENCODINGS))(text)))


SOUND_ROW = b'{"clip_id": "a", "score": 1}\n'


@contextmanager
def ending(folder: Path, *outputs: str) -> Iterator[None]:
    """What the block does ends well or with one of our errors, and leaves nothing behind but the outputs.

    Any other exception, and a file beside the outputs, fails the test.
    """
    before = names(folder)
    with suppress(SecondOpinionError):
        yield
    assert names(folder) - before <= set(outputs)


def names(folder: Path) -> set[str]:
    """What is in the folder and below, links not followed."""
    return {
        (Path(parent) / name).relative_to(folder).as_posix()
        for parent, folders, found in os.walk(folder)
        for name in (*folders, *found)
    }


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Files, a folder and links in circles for hostile names to lead to."""
    for name, content in {"f.jsonl": SOUND_ROW, "s.jsonl": SOUND_ROW, **files}.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    for name in ("up", "again"):
        (folder / "folder" / name).symlink_to("..")


_MEASURING = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
print(used.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
"""Linux counts what a process held before its exec, so a command that is begun by a large process seems large too."""


def ended(folder: Path, *argv: str) -> tuple[int, str, float]:
    """How the command ends before its deadline: its exit code, what it complains of, its most resident memory in MB."""
    quiet = ("sh", "-c", 'exec "$@" >/dev/null', "sh")
    process = subprocess.Popen(
        [sys.executable, "-c", _MEASURING, *quiet, *COMMAND, *argv],
        cwd=folder,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    peak, code = out.split()
    return int(code), err, int(peak) / (1e6 if sys.platform == "darwin" else 1e3)
