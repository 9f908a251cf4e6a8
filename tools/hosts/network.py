"""Hosts in network namespaces on a switch: each has its own network, name, processes and temporary files."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

HOSTS = ("store", "luigid", "first", "second")
SWITCH_ADDRESS = "10.77.9.254"
_PREFIX = "second-opinion-"
SWITCH = f"{_PREFIX}switch"
_PROGRAMS = ("ip", "unshare", "mount")
_BEGIN = 'hostname "$0"; mount -t tmpfs tmpfs /var/tmp; cd /var/tmp; exec "$@"'


def reason_to_skip() -> str | None:
    """Why there can be no hosts on this machine; None: there can."""
    if os.geteuid() != 0:
        return "it needs the superuser's rights, to make network namespaces"
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"found no {' and no '.join(missing)}; expected Debian's iproute2, util-linux and mount"
    made = subprocess.run(["ip", "netns", "add", f"{_PREFIX}try"], capture_output=True, check=False)
    _ip("netns", "del", f"{_PREFIX}try", check=False)
    return None if made.returncode == 0 else "the kernel makes no network namespaces here"


def address(host: str) -> str:
    """The address of a host."""
    return f"10.77.9.{HOSTS.index(host) + 1}"


@contextlib.contextmanager
def network() -> Iterator[None]:
    """The switch and the hosts, for the length of the block; all that runs on them ends with it."""
    _remove()
    try:
        _ip("netns", "add", SWITCH)
        _ip("-n", SWITCH, "link", "add", "bridge", "type", "bridge")
        _ip("-n", SWITCH, "addr", "add", f"{SWITCH_ADDRESS}/24", "dev", "bridge")
        for each in ("lo", "bridge"):
            _ip("-n", SWITCH, "link", "set", each, "up")
        for host in HOSTS:
            _add(host)
        yield
    finally:
        _remove()


def on(host: str, *command: str, environ: dict[str, str], log: str) -> subprocess.Popen[bytes]:
    """Begin a command on a host; killing it ends all that it has begun there.

    :param log: the local file for what it prints.
    """
    apart = ("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    with open(log, "ab") as stream:  # noqa: PTH123  # one line less than with a Path
        return subprocess.Popen(
            ["ip", "netns", "exec", _PREFIX + host, *apart, "bash", "-c", _BEGIN, host, *command],
            env=os.environ | {"TMPDIR": "/var/tmp", "HOME": "/var/tmp"} | environ,  # noqa: S108  # its own
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )


def cut_off(host: str) -> None:
    """Unplug a host from the switch."""
    _ip("-n", SWITCH, "link", "set", host, "down")


def give_back(host: str) -> None:
    """Plug it in again."""
    _ip("-n", SWITCH, "link", "set", host, "up")


def _add(host: str) -> None:
    space = _PREFIX + host
    _ip("netns", "add", space)
    _ip("-n", SWITCH, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", space)
    _ip("-n", SWITCH, "link", "set", host, "master", "bridge")
    _ip("-n", SWITCH, "link", "set", host, "up")
    _ip("-n", space, "addr", "add", f"{address(host)}/24", "dev", "eth0")
    for each in ("lo", "eth0"):
        _ip("-n", space, "link", "set", each, "up")


def _remove() -> None:
    for name in (*(_PREFIX + host for host in HOSTS), SWITCH):
        found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
        for process in map(int, found.stdout.split()):
            if process != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, 9)
        _ip("netns", "del", name, check=False)


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)
