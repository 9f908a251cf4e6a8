"""What the join makes of the demo, kept as digests: `python -m tests.support.golden` writes them anew."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.records.versions import SEMANTICS_VERSION
from pipeline.storage import jsontext
from tests.support.builders import run_manifest
from tests.support.processes import ROOT

KEPT = Path(__file__).parents[1] / "data" / "golden.json"
_MANIFESTS = ROOT / "manifests"


def made(folder: Path) -> dict[str, object]:
    """The version of the join's semantics, and a digest per joined table of the demo, made in `folder`."""
    shutil.copytree(_MANIFESTS / "demo", folder / "demo")
    manifest = Path(shutil.copy(_MANIFESTS / "demo.json", folder))
    report = run_manifest(manifest).report
    assert report["status"] == "ok"
    outs = sorted(table["out"] for table in report["tables"])
    digests = {out: hashlib.sha256(_content(folder / out)).hexdigest() for out in outs}
    return {"semantics_version": SEMANTICS_VERSION, "sha256": digests}


def _content(path: Path) -> bytes:
    """The file's content, free of what the libraries that write it may do otherwise from version to version."""
    if path.suffix in (".parquet", ".pq"):
        table = pq.read_table(path)
        columns = [[field.name, str(field.type)] for field in table.schema]
        return jsontext.canonical([columns, table.to_pylist()])
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        KEPT.write_text(json.dumps(made(Path(place)), indent=2) + "\n", "ascii")
