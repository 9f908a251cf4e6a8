"""Arguments that no command can use: exit code 2, nothing written."""

from __future__ import annotations

from tests.support.wrong_inputs.case import JOIN, Case


def _case(name: str, says: str, *argv: str) -> Case:
    return Case(name, says, {}, argv, code=2)


CASES = (
    _case("unknown command", r"No such command 'jion'", "jion"),
    _case("unknown flag", r"No such option.*--worker.*--workers", "run", "m.json", "--worker", "2"),
    _case("run without a manifest", r"Missing argument 'MANIFEST'", "run"),
    _case(
        "join without features",
        r"Missing option '--features'",
        "join",
        "--scores",
        "dover=dover.jsonl",
        "--out",
        "t.csv",
    ),
    _case(
        "join without scores",
        r"Missing option '--scores'",
        "join",
        "--features",
        "features.jsonl",
        "--out",
        "t.csv",
    ),
    _case("join without out", r"Missing option '--out'", *JOIN[:-2]),
    _case(
        "choice that is none",
        r"--missing-policy.*'keep'.*'mark', 'drop', 'fail'",
        *JOIN,
        "--missing-policy",
        "keep",
    ),
    _case(
        "number that is none", r"--min-coverage.*'half' is not a valid float", *JOIN, "--min-coverage", "half"
    ),
    _case(
        "share above 1 as an argument",
        r"min_coverage: found 2\.0; expected at most 1",
        *JOIN,
        "--min-coverage",
        "2",
    ),
    _case("share that is NaN", r"min_coverage: found nan; expected ", *JOIN, "--min-coverage", "nan"),
    _case("no worker", r"--workers.*0 is not in the range x>=1", "run", "m.json", "--workers", "0"),
    _case(
        "scores of broken JSON",
        r"--scores \{path: not JSON.*expected \[LABEL=\]PATH or a JSON object",
        *JOIN,
        "--scores",
        "{path",
    ),
    _case("scores without a path", r"--scores .*path: missing", *JOIN, "--scores", '{"label": "musiq"}'),
    _case(
        "scores with an unknown key",
        r"lable: unknown key; did you mean label\?",
        *JOIN,
        "--scores",
        '{"path": "x.csv", "lable": "x"}',
    ),
    _case("empty option", r"prefix: found ''; expected a text that is not empty", *JOIN, "--prefix", ""),
    _case(
        "regex without a group as an argument",
        r"key_regex: found 'c': it has no group",
        *JOIN,
        "--key-regex",
        "c",
    ),
    _case(
        "output of no known format", r"out: found 't\.xlsx'; expected one of \.parquet", *JOIN[:-1], "t.xlsx"
    ),
    _case("output an input", r"out: .* is also read, as features", *JOIN[:-1], "features.jsonl"),
    _case("empty name for an input", r"features: found ''; expected ", *JOIN[:2], "", *JOIN[3:]),
    _case("check of a faulty manifest", r"dover\.jsonl: .*expected a manifest", "check", "dover.jsonl"),
)
