"""A proxy before an object store: it counts requests, answers in its place, cuts connections."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is done with a request.

    Attributes:
        status: the status that is answered; 0: the connection is cut instead.
        code: the error code of the answer.
        after_bytes: the connection is cut when so many bytes of the store's answer were passed on.
    """

    status: int = 0
    code: str = "SlowDown"
    after_bytes: int | None = None


class Proxy(http.server.ThreadingHTTPServer):
    """What stands before the store.

    Attributes:
        seen: method and path of each request.
        fault: called with the method and path of each request before it is passed on; None: pass it on.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.behind = endpoint.removeprefix("http://")
        self.seen: list[tuple[str, str]] = []
        self.fault: Callable[[str, str], Fault | None] = lambda _method, _path: None

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def contents(self) -> list[str]:
        """The paths of the objects whose content was read."""
        return [
            path
            for method, path in self.seen
            if method == "GET" and "list-type" not in path and "comp=list" not in path
        ]


class _Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        proxy = self.server
        assert isinstance(proxy, Proxy)
        proxy.seen.append((self.command, self.path))
        fault = proxy.fault(self.command, self.path)
        if fault is not None and fault.after_bytes is None and not fault.status:
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault is not None and fault.status:
            self._send(fault.status, [("ETag", '"0"')], f"<Error><Code>{fault.code}</Code></Error>".encode())
            return
        try:
            answer, content = self._asked(proxy.behind, body)
        except OSError:  # the store has ended, as a test run does while what was killed is being cleared up
            self.close_connection = True
            return
        self._send(answer.status, answer.getheaders(), content, None if fault is None else fault.after_bytes)

    def _asked(self, store: str, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        """The answer of the store, and its content."""
        with contextlib.closing(http.client.HTTPConnection(store)) as behind:
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                behind.putheader(name, value)
            behind.endheaders(body or None)
            answer = behind.getresponse()
            return answer, answer.read()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815  # http.server's names

    def _send(
        self, status: int, headers: list[tuple[str, str]], content: bytes, after_bytes: int | None = None
    ) -> None:
        self.send_response_only(status)
        kept = {name: value for name, value in headers if name.lower() != "transfer-encoding"}
        if self.command != "HEAD":
            kept["Content-Length"] = str(len(content))
        for name, value in kept.items():
            self.send_header(name, value)
        with contextlib.suppress(OSError):  # who asked was killed
            self.end_headers()
            self.wfile.write(content[:after_bytes])
            self.close_connection = after_bytes is not None

    def log_message(self, *_: object) -> None:
        """Nothing: what it got is in `seen`."""


@contextlib.contextmanager
def proxied(endpoint: str) -> Iterator[Proxy]:
    """A proxy that runs beside the block."""
    with Proxy(endpoint) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
