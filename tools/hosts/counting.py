"""A proxy before a store that notes method and path of every request that passes."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.1\r\n")


class Counting:
    """The proxy; it runs until this process ends.

    Attributes:
        requests: method and path of each request.
    """

    def __init__(self, address: str, port: int, behind: tuple[str, int]) -> None:
        self.requests: list[tuple[str, str]] = []
        self._behind = behind
        self._server = socket.create_server((address, port), backlog=200)
        threading.Thread(target=self._accept, daemon=True).start()

    def puts(self, part: str) -> dict[str, int]:
        """How often each path that holds `part` was written."""
        found: dict[str, int] = {}
        for method, path in self.requests:
            if method == "PUT" and part in path:
                found[path] = found.get(path, 0) + 1
        return found

    def _accept(self) -> None:
        while True:
            ours, _ = self._server.accept()
            threading.Thread(target=self._serve, args=[ours], daemon=True).start()

    def _serve(self, ours: socket.socket) -> None:
        with contextlib.suppress(OSError), ours, socket.create_connection(self._behind, timeout=60) as theirs:
            back = threading.Thread(target=_pass_on, args=[theirs, ours], daemon=True)
            back.start()
            while block := ours.recv(1 << 16):
                if found := _REQUEST.match(block):  # clients begin a request with a packet of its own
                    self.requests.append((found[1].decode(), found[2].decode()))
                theirs.sendall(block)
            with contextlib.suppress(OSError):
                theirs.shutdown(socket.SHUT_WR)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
