"""What asks the stores, in a process of its own: answers questions over the connections that it is handed.

It runs as a script and imports nothing of the package. obstore starts threads that no child of a fork has, so that a
child would wait for them for ever; here nothing forks. A question is a line of JSON. The answer is a line of JSON, and
after it as many bytes as its `bytes` says.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import re
import socket
import sys
import threading
from typing import Any

_FIRST_WAIT, _LONGEST_WAIT, _ATTEMPTS_SECONDS = 0.1, 5.0, 60.0
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_BUSY = {429, 500, 502, 503, 504}
_CONNECTIONS = 16

_stores: dict[tuple[str, str], Any] = {}
_making = threading.Lock()


def main(control: socket.socket) -> None:
    """Serve every connection whose descriptor comes over `control`, until its other end is closed."""
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, _CONNECTIONS)
        if not descriptors:
            os._exit(0)  # nobody is left to answer
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            threading.Thread(target=_serve, args=[connection], daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rwb") as stream:
        for line in stream:
            answer, content = _answered(json.loads(line))
            try:
                _send(stream, answer | {"bytes": len(content)}, content)
            except OSError:  # who asked has gone
                return


def _send(stream: io.BufferedRWPair, answer: dict[str, Any], content: Any) -> None:
    stream.write(json.dumps(answer).encode("ascii") + b"\n")
    stream.write(content)
    stream.flush()


def _answered(asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    try:
        store = _store(asked["scheme"], asked["bucket"])
        return _ASK[asked["ask"]](store, asked)
    except Exception as exc:  # noqa: BLE001, RUF100  # whatever it is, who asked must get an answer
        return _failure(exc), b""


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
        "max_retries": max(0, int(attempts) - 1) if attempts.isdecimal() else 4,
        "retry_timeout": datetime.timedelta(seconds=_ATTEMPTS_SECONDS),
        "backoff": {
            "init_backoff": datetime.timedelta(seconds=_FIRST_WAIT),
            "max_backoff": datetime.timedelta(seconds=_LONGEST_WAIT),
            "base": 2,
        },
    }


def _look(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import obstore

    try:
        found = obstore.head(store, asked["key"])
    except FileNotFoundError:
        if asked["sure"]:  # a store answers the same if the bucket is absent; listing tells
            next(iter(obstore.list(store, prefix=asked["key"], chunk_size=1)), None)
        return {"found": None}, b""
    return {"found": _described(found)}, b""


def _listed(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import obstore

    found = obstore.list_with_delimiter(store, asked["key"] or None)
    names = [each["path"].rpartition("/")[2] for each in found["objects"]]
    folders = [each.rstrip("/").rpartition("/")[2] for each in found["common_prefixes"]]
    return {"names": names, "folders": folders}, b""


def _read(store: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    import obstore

    options: Any = {"range": (asked["start"], asked["stop"])}
    if asked["etag"]:
        options["if_match"] = asked["etag"]
    return {}, obstore.get(store, asked["key"], options=options).bytes()


def _described(found: Any) -> dict[str, Any]:
    return {
        "size": found["size"],
        "etag": found["e_tag"],
        "version": found["version"],
        "changed": found["last_modified"].isoformat(),
    }


def _failure(exc: Exception) -> dict[str, Any]:
    """The kind of a failure. What the library says of it is not passed on, as it may hold credentials."""
    text, kind = str(exc), type(exc).__name__
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    if code == "NoSuchBucket" or "ContainerNotFound" in text:
        failure = "bucket"
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


_ASK = {"look": _look, "list": _listed, "read": _read}

if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
