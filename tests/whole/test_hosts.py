"""The batch on four hosts that `make demo-hosts` shows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.processes import ROOT
from tools.hosts.network import reason_to_skip

pytestmark = pytest.mark.objects


def test_hosts_that_share_a_bucket_and_a_luigid() -> None:
    """Whatever happens to a host in the middle, tables are made once, and the report is that of a local run."""
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
    command = [sys.executable, "-m", "tools.hosts"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if ended.stdout.startswith("not shown: "):
        pytest.skip(ended.stdout)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("the report of the local run") == 6
