"""What `--scheduler` may name, what becomes of a server that is no luigid, and of a broken luigi.cfg."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import batch_of, run_main, stamps, write_text
from tests.support.forks import forked
from tests.support.processes import COMMAND, running


@pytest.mark.parametrize(
    "url",
    ["foo", "", "http://127.0.0.1:abc", "ftp://x", "http://", "http://[::1", "127.0.0.1:8082", "http://a b"],
)
def test_no_url(tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
    """What is no URL of a server is refused before anything is written: exit code 2."""
    manifest = batch_of(tmp_path, "a")
    before = stamps(tmp_path)
    ended = run_main(capsys, "run", manifest, "--scheduler", url)
    assert ended.code == 2
    expected = f"--scheduler: found {url!r}; expected a URL such as http://127.0.0.1:8082\n"
    assert ended.err == f"second-opinion: {expected}"
    assert stamps(tmp_path) == before


class Stranger(socketserver.StreamRequestHandler):
    """A server that answers every request with the same bytes."""

    answer = b""

    def handle(self) -> None:
        """Answer whatever is asked."""
        self.request.recv(1 << 16)
        self.wfile.write(self.answer)


@pytest.fixture
def stranger(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that answers with the bytes of the test's parameter."""
    handler = type("Handler", (Stranger,), {"answer": request.param})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


OK = b"HTTP/1.0 200 OK\r\n"


@pytest.mark.parametrize(
    "stranger",
    [
        b"",
        b"\x00\xff garbage\r\n\r\n",
        b"HTTP/1.0 404 no\r\n\r\n",
        OK + b"\r\n<html>hi</html>",
        OK + b"Content-Length: 99\r\n\r\nabc",
        OK + b"\r\n\xff\xfe",
        OK + b"\r\n{}",
        OK + b"\r\n[]",
        OK + b'\r\n{"response": 5}',
        OK + b'\r\n{"response": {"task": {}}}',
    ],
    indirect=True,
    ids=["nothing", "garbage", "404", "html", "short", "bytes", "object", "list", "number", "no task"],
)
def test_a_server_that_is_no_luigid(tmp_path: Path, stranger: str) -> None:
    """A server that does not speak as luigid does is told as one that does not answer: exit code 1."""
    batch_of(tmp_path, "a")
    ended = forked(tmp_path, "run", "m.json", "--scheduler", stranger)
    assert ended.returncode == 1
    assert f"{stranger}: no luigid answers; start it, or run without --scheduler" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("garbage", "File contains no section headers"),
        ("[core\nx", "File contains no section headers"),
        ("[scheduler]\nretry_delay = x", "retry_delay"),
        ("[core]\nrpc-connect-timeout = x", "could not convert string to float: 'x'"),
        ("[core]\nworkers = x", "workers"),
    ],
)
def test_a_broken_luigi_cfg(tmp_path: Path, settings: str, said: str) -> None:
    """A configuration that Luigi cannot use is told before anything is written: exit code 2."""
    batch_of(tmp_path, "a")
    config = str(write_text(tmp_path / "luigi.cfg", settings))
    with running(tmp_path, *COMMAND, "run", "m.json", LUIGI_CONFIG_PATH=config) as run:
        ended = run.end()
    assert ended.returncode == 2, ended.stderr
    assert "Luigi's configuration (luigi.cfg, LUIGI_CONFIG_PATH) cannot be used: " in ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()
