"""Write what follows from the declaration of the join options: the manifest's schema, the docs' table.

Run it after changing `pipeline/manifest/options.py`; a test fails while it has something to write.
"""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.manifest.options import OPTIONS, Option

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "pipeline" / "schemas" / "manifest.schema.json"
DOCS = ROOT / "docs" / "manifest.md"
BEGIN, END = "<!-- join options: derived -->", "<!-- join options: end -->"


def derived() -> dict[Path, str]:
    """What each file should hold, by its path."""
    return {SCHEMA: _schema(SCHEMA.read_text("utf-8")), DOCS: _docs(DOCS.read_text("utf-8"))}


def _schema(text: str) -> str:
    schema = json.loads(text)
    schema["$defs"]["join_options"]["properties"] = {
        option.name: {"description": option.help, "default": option.default, **option.schema}
        for option in OPTIONS
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _docs(text: str) -> str:
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    lines = [
        "| option | flag of `join` | values | default | meaning |",
        "|---|---|---|---|---|",
        *map(_row, OPTIONS),
    ]
    return before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after


def _row(option: Option) -> str:
    values = ", ".join(f"`{choice}`" for choice in option.choices or ()) or option.type_name
    default = "none" if option.default is None else f"`{json.dumps(option.default).strip(chr(34))}`"
    return f"| `{option.name}` | `{option.flag}` | {values} | {default} | {option.help} |"


if __name__ == "__main__":
    for path, text in derived().items():
        path.write_text(text, "utf-8")
