"""The command line: arguments in, exit code out; the only room that prints.

::

    main ──▶ flags            what each command takes
     │  └──▶ console          tables, progress and warnings on a terminal or in a log
     └─────▶ evidence_lines   what a person is told of evidence
"""

__all__ = [
    "console",
    "evidence_lines",
    "flags",
    "main",
]
