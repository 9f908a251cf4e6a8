"""Print the lowest version that setup.cfg allows of every package, those of all extras too, as requirements for pip.

`make test-lowest` installs them, so that a range that reaches too low fails a test.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path

SETUP = Path(__file__).resolve().parent.parent / "setup.cfg"


def lowest(setup: Path = SETUP) -> Iterator[str]:
    """`name==version` for each requirement, those of the extras among them.

    :raises ValueError: a requirement is not of the form `name>=version`, so that its lowest version is not known.
    """
    declared = configparser.ConfigParser()
    declared.read(setup, "utf-8")
    for value in (declared["options"]["install_requires"], *declared["options.extras_require"].values()):
        for requirement in value.split("\n"):
            if requirement:
                yield _lowest(requirement)


def _lowest(requirement: str) -> str:
    found = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement)
    if found is None:
        raise ValueError(f"setup.cfg: found {requirement!r}; expected name>=version")
    return f"{found[1]}=={found[2]}"


if __name__ == "__main__":
    print("\n".join(dict.fromkeys(lowest())))  # noqa: T201  # a command line's answer
