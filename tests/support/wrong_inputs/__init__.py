"""Wrong inputs as data: the files of each case, the command, and what it must answer."""

from tests.support.wrong_inputs import command_cases, join_cases, manifest_cases, sidecar_cases, table_cases

CASES = (
    *manifest_cases.CASES,
    *command_cases.CASES,
    *table_cases.CASES,
    *sidecar_cases.CASES,
    *join_cases.CASES,
)
