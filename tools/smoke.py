"""Try an installed `second-opinion`, away from the checkout.

::

    python tools/smoke.py .venv-smoke/bin/second-opinion

copies the demo's manifest and corpora to a temporary folder and runs the command there: its help, the batch, the audit,
and whether the report can be relied on. It ends with 1 and the command's output if one of them fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MANIFESTS = Path(__file__).resolve().parent.parent / "manifests"

TRIED = (
    ("--help",),
    ("run", "demo.json"),
    ("audit", "demo.json"),
    ("verify", "demo.report.json"),
)


def smoke(command: Path) -> None:
    """Run the installed command at `command` as a user would.

    :raises SystemExit: it fails; the text is what it printed.
    """
    # Without the checkout on the path the package can only be the installed one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory(prefix="second-opinion-") as name:
        folder = Path(name)
        shutil.copy(MANIFESTS / "demo.json", folder)
        shutil.copytree(MANIFESTS / "demo", folder / "demo")
        for arguments in TRIED:
            ended = subprocess.run(  # noqa: S603  # the caller's own command
                [command.absolute(), *arguments],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if ended.returncode:
                said = ended.stdout + ended.stderr
                raise SystemExit(f"{command} {' '.join(arguments)}: exit code {ended.returncode}\n{said}")


if __name__ == "__main__":
    smoke(Path(sys.argv[1]))
    print("smoke test: passed")  # noqa: T201  # a command line's answer
