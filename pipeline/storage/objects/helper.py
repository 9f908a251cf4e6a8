"""What asks the stores, in a process of its own: answers questions over the connections that it is handed.

It runs as a script and imports nothing of the package. obstore starts threads that no child of a fork has, so that a
child would wait for them for ever; here nothing forks. A question is a line of JSON, and after it as many bytes as its
`bytes` says, or blocks if it says that there is a `stream`. The answer is a line of JSON, and after it as many bytes
as its `bytes` says.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import io
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FIRST_WAIT, _LONGEST_WAIT, _GROWTH = 0.5, 5.0, 3
_ATTEMPTS, _ATTEMPTS_SECONDS = 9, 60.0
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_BUSY = {429, 500, 502, 503, 504}
_CONNECTIONS = 16
_PART_BYTES, _PARTS_AT_ONCE = 1 << 23, 4
_LISTED_AT_ONCE = 1000

_stores: dict[tuple[str, str], Any] = {}
_making = threading.Lock()


def main(control: socket.socket) -> None:
    """Serve every connection whose descriptor comes over `control`, until its other end is closed."""
    serving: list[threading.Thread] = []
    while descriptors := socket.recv_fds(control, 1, _CONNECTIONS)[1]:
        serving = [thread for thread in serving if thread.is_alive()]
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            serving.append(threading.Thread(target=_serve, args=[connection], daemon=True))
            serving[-1].start()
    for loaded in _loaded.values():
        loaded.end_all()
    for thread in serving:  # an upload that nobody completes any more is aborted
        thread.join(_ATTEMPTS_SECONDS)
    os._exit(0)


def _serve(connection: socket.socket) -> None:
    with contextlib.suppress(OSError), connection, connection.makefile("rwb") as stream:
        for line in stream:  # an OSError: who asked has gone
            answer, content = _answered(json.loads(line), stream)
            _send(stream, answer | {"bytes": len(content)}, content)


def _send(stream: io.BufferedRWPair, answer: dict[str, Any], content: Any) -> None:
    stream.write(json.dumps(answer).encode("ascii") + b"\n")
    stream.write(content)
    stream.flush()


def _answered(asked: dict[str, Any], stream: io.BufferedRWPair) -> tuple[dict[str, Any], Any]:
    blocks = _Blocks(stream) if asked.get("stream") else None
    asked["content"] = blocks or stream.read(asked.get("bytes", 0))
    try:
        store = _store(asked["scheme"], asked["bucket"])
        return _ASK[asked["ask"]](store, asked)
    except Exception as exc:  # noqa: BLE001, RUF100  # whatever it is, who asked must get an answer
        return _failure(exc), b""
    finally:
        if blocks is not None:
            blocks.drain()


class _Blocks:
    """The content of an object in blocks: each is its length in 8 bytes, and its bytes; one of length 0 is the end."""

    def __init__(self, stream: io.BufferedRWPair) -> None:
        self._stream = stream
        self._is_over = False

    def __iter__(self) -> Iterator[bytes]:
        """The blocks.

        :raises EOFError: the end does not come, so that nothing must be written.
        """
        while not self._is_over:
            header = self._stream.read(8)
            size = int.from_bytes(header, "big")
            block = self._stream.read(size)
            self._is_over = len(header) < 8 or not size or len(block) < size
            if len(header) < 8 or len(block) < size:
                raise EOFError
            if block:
                yield block

    def drain(self) -> None:
        """Read what is left of them, so that an answer can be sent."""
        with contextlib.suppress(EOFError):
            for _ in self:
                pass


def _store(scheme: str, bucket: str) -> Any:
    """The store of a bucket; made once, with what the environment says of endpoint, region, timeouts, credentials."""
    from obstore import store

    with _making:
        if (scheme, bucket) not in _stores:
            kind = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}[scheme]
            _stores[scheme, bucket] = kind(bucket, retry_config=_retries())
        return _stores[scheme, bucket]


def _retries() -> Any:
    attempts = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return {
        "max_retries": max(0, (int(attempts) if attempts.isdecimal() else _ATTEMPTS) - 1),
        "retry_timeout": datetime.timedelta(seconds=_ATTEMPTS_SECONDS),
        "backoff": {
            "init_backoff": datetime.timedelta(seconds=_FIRST_WAIT),
            "max_backoff": datetime.timedelta(seconds=_LONGEST_WAIT),
            "base": _GROWTH,
        },
    }


def _look(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import obstore

    try:
        found = obstore.get(store, asked["key"], options={"head": True})
    except FileNotFoundError:
        if asked["sure"]:  # a store answers the same if the bucket is absent; listing tells
            next(iter(obstore.list(store, prefix=asked["key"], chunk_size=1)), None)
        return {"found": None}, b""
    return {"found": _described(found.meta)}, b""


def _look_into(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """What is at a path, and its first bytes."""
    import obstore

    try:
        found = obstore.get(store, asked["key"], options={"range": (0, asked["size"])})
    except Exception:  # noqa: BLE001, RUF100  # of an empty object there is no range; else this says what is wrong
        return _look(store, asked)
    return {"found": _described(found.meta)}, found.bytes()


def _listed(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The objects and folders in a folder."""
    import obstore

    found = obstore.list_with_delimiter(store, asked["key"] or None)
    objects = {each["path"].rpartition("/")[2]: _described(each) for each in found["objects"]}
    folders = [each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"]]
    return {"objects": objects, "folders": folders}, b""


def _below(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The objects below a folder, deep ones too, but not many more than `most` (none: all); and whether these are all."""
    import obstore

    objects: dict[str, Any] = {}
    prefix = asked["key"] or None
    for chunk in obstore.list(store, prefix=prefix, chunk_size=_LISTED_AT_ONCE):
        objects |= {each["path"]: _described(each) for each in chunk}
        if asked["most"] and len(objects) > asked["most"]:
            return {"objects": objects, "all": False}, b""
    return {"objects": objects, "all": True}, b""


def _read(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    import obstore

    options: Any = {"range": (asked["start"], asked["stop"])}
    if asked["etag"]:
        options["if_match"] = asked["etag"]
    return {}, obstore.get(store, asked["key"], options=options).bytes()


def _get(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """A whole object of any size, as it is now, with what describes it."""
    import obstore

    found = obstore.get(store, asked["key"])
    return {"found": _described(found.meta)}, found.bytes()


def _put(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Write a whole object; `absent`: only if there is none, `etag`: only if it is still that one."""
    import obstore

    if asked.get("stream"):
        written = obstore.put(
            store,
            asked["key"],
            asked["content"],
            attributes=asked["attributes"],
            chunk_size=_PART_BYTES,
            max_concurrency=_PARTS_AT_ONCE,
        )
    else:
        mode: Any = "create" if asked["absent"] else {"e_tag": asked["etag"]} if asked["etag"] else None
        written = obstore.put(
            store, asked["key"], asked["content"], attributes=asked["attributes"], mode=mode
        )
    return {"etag": written["e_tag"]}, b""


def _remove(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import obstore

    with contextlib.suppress(FileNotFoundError):
        obstore.delete(store, asked["keys"])
    return {}, b""


_loaded: dict[str, Any] = {}


def _beside(name: str) -> Any:
    """A file beside this one, loaded when it is first needed."""
    with _making:
        if name not in _loaded:
            spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
            _loaded[name] = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]  # the file is there
            spec.loader.exec_module(_loaded[name])  # type: ignore[union-attr]  # likewise
        return _loaded[name]


def _copy(_store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Begin an object with the first bytes of another; the upload is None where the store cannot."""
    if asked["scheme"] != "s3" or asked["size"] < _beside("copies").MIN_BYTES:
        return {"upload": None}, b""
    begun = _beside("copies").begin(*(asked[name] for name in ("bucket", "key", "source", "etag", "size")))
    return {"upload": begun and begun[0], "parts": begun and begun[1]}, b""


def _add(_store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    return {"part": _beside("copies").add(asked["upload"], asked["number"], asked["content"])}, b""


def _complete(_store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    return {"etag": _beside("copies").complete(asked["upload"], asked["parts"])}, b""


def _abort(_store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    _beside("copies").abort(asked["upload"])
    return {}, b""


def _keep(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    lease = _beside("leases").keep(store, asked["key"], asked["content"], asked["etag"], asked["seconds"])
    return {"lease": lease}, b""


def _release(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    _beside("leases").release(store, asked["key"], asked["content"], asked["lease"])
    return {}, b""


def _described(found: Any) -> dict[str, Any]:
    return {
        "size": found["size"],
        "etag": found["e_tag"],
        "changed": found["last_modified"].timestamp(),
    }


def _failure(exc: Exception) -> dict[str, Any]:
    """The kind of a failure. What the library says of it is not passed on, as it may hold credentials."""
    text, kind = str(exc), type(exc).__name__
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    if code == "NoSuchBucket" or "ContainerNotFound" in text:
        failure = "bucket"
    elif kind == "AlreadyExistsError":
        failure = "exists"
    elif code == "RequestTimeTooSkewed":
        failure = "clock"
    elif isinstance(exc, FileNotFoundError) or status == 404:
        failure = "missing"
    elif kind == "PreconditionError" or status == 412:
        failure = "replaced"
    elif kind in ("PermissionDeniedError", "UnauthenticatedError") or status in (401, 403):
        failure = "refused"
    elif status in _BUSY:
        failure = "busy"
    elif "HTTP error" in text or "error sending request" in text or "response body" in text:
        failure = "unreachable"
    else:
        failure = "failed"
    return {"failure": failure, "status": status, "code": code, "kind": kind}


_ASK = {
    "look": _look,
    "look_into": _look_into,
    "list": _listed,
    "below": _below,
    "read": _read,
    "get": _get,
    "put": _put,
    "remove": _remove,
    "keep": _keep,
    "release": _release,
    "copy": _copy,
    "add": _add,
    "complete": _complete,
    "abort": _abort,
}

if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
