"""The command line: arguments in, exit code out; the only room that prints.

::

    main ──▶ commands ──▶ flags            what each command takes
     │          ├───────▶ report_commands  verify, cite, diff
     │          │  └────▶ console          tables, progress and warnings on a terminal or in a log
     │          ├───────▶ evidence_lines   audits and impacts in a few lines
     └──────────┴───────▶ printing         results to stdout, messages to stderr

`main` turns errors into exit codes. `console` and what the commands call are imported when a command runs, so that
`--help` is quick.
"""

__all__ = [
    "commands",
    "console",
    "evidence_lines",
    "flags",
    "main",
    "printing",
    "report_commands",
]
