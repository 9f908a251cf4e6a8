"""Sound inputs whose join would be wrong: `join` ends with 1 and writes nothing at all."""

from __future__ import annotations

from tests.support.wrong_inputs.case import JOIN, Case, lines, scores

_MARK = (*JOIN, "--missing-policy", "mark")


def _case(name: str, says: str, *flags: str, clips: int = 3, **files: str) -> Case:
    features = lines(*({"clip_id": f"in/c{row}.mp4"} for row in range(clips)))
    return Case(name, says, {"features.jsonl": features, **files}, (*JOIN, *flags))


_UNMET = r"keys of the feature table: 'in/c0\.mp4', 'in/c1\.mp4', 'in/c2\.mp4', 'in/c3\.mp4', 'in/c4\.mp4'\n"
_STEMS = scores(*({"clip_id": f"c{row}", "score": row} for row in range(7)))
_ONE_OF_THREE = scores({"clip_id": "c0", "score": 1})

CASES = (
    *(
        Case(
            f"no row matched under {policy}",
            r"'dover': 0 of 3 rows matched, 3 missing; no row matched, so the keys",
            scores({"clip_id": "x0", "score": 1}),
            (*JOIN, "--missing-policy", policy),
        )
        for policy in ("mark", "drop", "fail")
    ),
    Case(
        "no row matched, explained",
        _UNMET + r" +unmatched keys of the sidecar: 'c0', 'c1', 'c2', 'c3', 'c4'\n"
        r" +key_normalize stem would match 7 rows",
        {"features.jsonl": lines(*({"clip_id": f"in/c{row}.mp4"} for row in range(7))), **_STEMS},
        _MARK,
    ),
    Case(
        "few rows matched, explained",
        r"1 of 3 rows matched, 2 missing; expected a share of at least 0\.5 \(min_coverage\)\n"
        r" +unmatched keys of the feature table: 'c1', 'c2'\n +unmatched keys of the sidecar: none",
        _ONE_OF_THREE,
        (*_MARK, "--min-coverage", "0.5"),
    ),
    Case(
        "a row missing under fail",
        r"'dover': 1 of 3 rows matched, 2 missing; .*missing_policy fail",
        _ONE_OF_THREE,
        (*JOIN, "--missing-policy", "fail"),
    ),
    Case(
        "every scorer that misses rows is named",
        r"2 of 2 scorers do not cover.*'dover': 1 of 3 .*'musiq': 2 of 3 rows matched, 1 missing",
        {**_ONE_OF_THREE, "s.csv": "clip_id,score\nc0,1\nc1,2\n"},
        (*JOIN, "--scores", "musiq=s.csv", "--missing-policy", "fail"),
    ),
    Case(
        "coverage too low",
        r"2 of 3 rows matched.*at least 0\.9 \(min_coverage\)",
        scores({"clip_id": "c0", "score": 1}, {"clip_id": "c1", "score": 2}),
        (*_MARK, "--min-coverage", "0.9"),
    ),
    Case("feature key regex matches none", r"0 of 3 rows matched", {}, (*_MARK, "--key-regex", "x(.)")),
    Case(
        "input of join absent",
        r"features\.csv: the file is not there yet",
        {},
        (*JOIN[:2], "features.csv", *JOIN[3:]),
        code=3,
    ),
    Case("faulty sidecar of join", r"1 faulty row in the sidecar", scores({"clip_id": "c0"}), JOIN),
    Case(
        "column of join there",
        r"set overwrite to replace them",
        {
            "features.jsonl": lines(
                *({"clip_id": f"c{row}", "second_opinion_dover_score": 1} for row in range(3))
            )
        },
        JOIN,
    ),
)
