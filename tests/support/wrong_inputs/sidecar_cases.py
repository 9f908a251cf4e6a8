"""Sidecars that are absent or faulty: exit code 3 or 1, the rows counted, the first ten shown."""

from __future__ import annotations

import gzip

from tests.support.wrong_inputs.case import Case, lines, manifest, scores, table


def _row(**fields: object) -> dict[str, object]:
    """A sound row of clip c0 with these fields too."""
    return {"clip_id": "c0", "score": 1} | fields


def _named(content: str | bytes | None, name: str) -> dict[str, str | bytes | None]:
    """The sidecar `name` with this content, and the manifest that joins it."""
    return {name: content, **manifest(table(scores=[f"dover={name}"]))}


def _entry(content: str, **entry: object) -> dict[str, str | bytes | None]:
    """The sidecar `dover.jsonl` with this content, joined by an entry that says more than its path."""
    return {"dover.jsonl": content, **manifest(table(scores=[{"path": "dover.jsonl"} | entry]))}


_FILES = (
    Case(
        "sidecar absent",
        r"t: .*no\.csv: the file is not there yet",
        manifest(table(scores=["no.csv"])),
        code=3,
    ),
    Case(
        "sidecar pattern without a match",
        r"nr/\*\.json: no file matches yet",
        manifest(table(scores=["nr/*.json"])),
        code=3,
    ),
    Case("sidecar a folder", r"s\.jsonl: found a folder, expected a file", _named(None, "s.jsonl")),
    Case("sidecar unreadable", r"dover\.jsonl: cannot be read: Permission denied", locked="dover.jsonl"),
    Case(
        "sidecar empty without a label",
        r"s\.json: found no row, and no label",
        {"s.json": "", **manifest(table(scores=["s.json"]))},
    ),
    Case("sidecar empty", r"'dover': 0 of 3 rows matched, 3 missing; no row matched", _named("", "s.json")),
    Case(
        "sidecar JSON broken",
        r"s\.json: not JSON.*expected JSON objects or a list",
        _named('[{"clip_id": ', "s.json"),
    ),
    Case(
        "sidecar truncated gzip",
        r"s\.jsonl\.gz: cannot be read: ",
        _named(gzip.compress(lines(_row()).encode() * 99)[:-20], "s.jsonl.gz"),
    ),
    Case("sidecar not UTF-8", r"s\.csv: not UTF-8 text", _named(b"clip_id,score\n\xe9,1\n", "s.csv")),
    Case(
        "sidecar ragged",
        r"s\.csv line 3: found 3 cells; expected 2, as in the header",
        _named("clip_id,score\nc0,1\nc1,2,3\n", "s.csv"),
    ),
    Case(
        "sidecar with a header twice",
        r"s\.csv line 1: the header names 'score' twice",
        _named("clip_id,score, score\nc0,1,2\n", "s.csv"),
    ),
    Case("sidecar without a header", r"s\.csv: found no header", _named("", "s.csv")),
    Case(
        "sidecar with both lists",
        r"s\.json: found both rows and results",
        _named('{"rows": [], "results": []}', "s.json"),
    ),
)

_ROWS = (
    Case(
        "line broken",
        r"1 faulty row.*dover\.jsonl line 2: not JSON.*expected one JSON object",
        {"dover.jsonl": lines(_row()) + '{"clip_id"\n'},
    ),
    Case("row no object", r"dover\.jsonl line 1: found 3; expected a JSON object", scores(3)),
    Case(
        "field twice",
        r"line 1: the key 'score' occurs twice",
        {"dover.jsonl": '{"clip_id": "c0", "score": 1, "score": 2}\n'},
    ),
    Case(
        "no key",
        r"line 1: no key; expected one of clip_id, .*the row has: 'clip', 'score'",
        scores({"clip": "c0", "score": 1}),
    ),
    Case("empty key", r"line 1: field clip_id: found ' '; expected a key", scores(_row(clip_id=" "))),
    Case("null key", r"line 1: field clip_id: found None; expected a key", scores(_row(clip_id=None))),
    Case(
        "no score",
        r"line 1: no score; expected one of score, .*set score_field.*'note'",
        scores({"clip_id": "c0", "note": "x"}),
    ),
    Case(
        "NaN for ok",
        r"line 1: field score: found nan; expected a finite number, or a status",
        {"dover.jsonl": '{"clip_id": "c0", "score": NaN}\n'},
    ),
    Case(
        "null for ok",
        r"line 1: field score: found None; expected a finite number",
        scores(_row(score=None, status="ok")),
    ),
    Case(
        "boolean for a score",
        r"line 1: field score: found True; expected a finite number",
        scores(_row(score=True)),
    ),
    Case(
        "text for a score",
        r"line 1: field score: found 'good'; expected a finite number",
        scores(_row(score="good")),
    ),
    Case(
        "infinite score",
        r"line 1: field score: found 'inf'; expected a finite number",
        scores(_row(score="inf")),
    ),
    Case(
        "label contradicted",
        r"line 1: field competitor: found 'musiq', which contradicts the label 'dover'",
        scores(_row(competitor="musiq")),
    ),
    Case(
        "no scorer named",
        r"line 1: no field competitor and the entry has no label",
        manifest(table(scores=["dover.jsonl"])),
    ),
    Case(
        "label beside the prediction",
        r"fields score and mos: found 1\.0 and 4\.0, .*\(set score_field\)",
        scores(_row(mos=4)),
    ),
    Case(
        "score field absent",
        r"line 1: field mos: absent; expected the score \(the row has: 'clip_id', 'score'\)",
        manifest(table(score_field="mos")),
    ),
    Case(
        "key field absent",
        r"line 1: field shot: absent; expected the key \(the row has: 'clip_id', 'score'\)",
        manifest(table(score_key_field="shot")),
    ),
    Case(
        "key regex unmatched",
        r"line 1: field clip_id: found 'c0', which score_key_regex .* does not match",
        manifest(table(score_key_regex="d(.)")),
    ),
    Case(
        "aspect absent",
        r"line 1: field tech: absent; expected the score",
        _entry(lines(_row()), label="dover", score_fields={"technical": "tech"}),
    ),
    Case(
        "bad frame",
        r"line 1: field frames\[1\]: found nan; expected a finite score in every frame",
        {"dover.jsonl": '{"clip_id": "c0", "frames": [{"score": 1}, {"score": NaN}]}\n'},
    ),
    Case(
        "frame without a score",
        r"field frames\[1\]: found no score",
        scores({"clip_id": "c0", "frames": [{"score": 1}, {}]}),
    ),
    Case(
        "dotted field absent",
        r"field pooled\.vmaf: absent",
        _entry(lines(_row(pooled={"psnr": 1})), label="v", score_field="pooled.vmaf"),
    ),
    Case(
        "more faulty rows than are shown",
        r"12 faulty rows in the sidecar.*line 10: (?!.*line 11).*and 2 more",
        scores(*(_row(clip_id=f"c{row}", score=None) for row in range(12))),
    ),
)

_SAME = (
    Case(
        "equal row twice", r"line 2: the key 'c0' again, first at dover\.jsonl line 1", scores(_row(), _row())
    ),
    Case(
        "row twice with other scores",
        r"'dover': 1 rows? for keys that already have one.*line 2",
        scores(_row(), _row(score=2)),
    ),
    Case(
        "scorer in two sidecars",
        r"s\.jsonl line 1: the key 'c0' again, first at dover\.jsonl line 1",
        {"s.jsonl": lines(_row()), **manifest(table(scores=["dover=dover.jsonl", "dover=s.jsonl"]))},
    ),
    Case(
        "keys that meet as basenames",
        r"the key 'b/747\.mp4' becomes '747\.mp4', as does 'a/747\.mp4' at .*line 1; key_normalize raw would keep",
        scores(*({"path": f"{folder}/747.mp4", "score": 1} for folder in "ab")),
    ),
    Case(
        "scorers of one slug",
        r"'dover v1' and 'dover-v1' would share the columns of dover_v1",
        {"s.jsonl": lines(_row()), **manifest(table(scores=["dover-v1=dover.jsonl", "dover v1=s.jsonl"]))},
    ),
)

CASES = (*_FILES, *_ROWS, *_SAME)
