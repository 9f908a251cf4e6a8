"""Objects of S3 that begin with the bytes of another one: these are copied in the store and never leave it.

Only S3 has this (UploadPartCopy), and obstore does not ask for it, so botocore does, which `helper` loads when it is first
needed. Like `helper` this file imports nothing of the package.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
"""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

MIN_BYTES = 1 << 24
"""Less is copied faster by reading and writing it."""

_PART_BYTES, _AT_ONCE = 1 << 27, 8
_open: dict[str, tuple[str, str]] = {}
"""The uploads that are neither complete nor aborted: bucket and key by their id."""


def begin(
    bucket: str, key: str, source: str, etag: str, size: int
) -> tuple[str, list[dict[str, Any]]] | None:
    """Begin an object with the first bytes of another one of its bucket.

    :param etag: the other one's; it must still have it.
    :param size: how many bytes, at least `MIN_BYTES`.
    :returns: the id of the upload and its parts; None: this store cannot do that, and nothing is left.
    """
    try:
        client = _client()
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    except Exception:  # noqa: BLE001, RUF100  # whatever it is, the bytes are read and written instead
        return None
    _open[upload] = (bucket, key)

    def copied(part: tuple[int, int, int]) -> dict[str, Any]:
        number, start, stop = part
        answer = client.upload_part_copy(
            Bucket=bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            CopySource={"Bucket": bucket, "Key": source},
            CopySourceRange=f"bytes={start}-{stop - 1}",
            CopySourceIfMatch=etag,
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    try:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return upload, [*threads.map(copied, _parts(size))]
    except Exception:  # noqa: BLE001, RUF100  # likewise
        abort(upload)
        return None


def add(upload: str, number: int, content: bytes) -> dict[str, Any]:
    """Add a part."""
    bucket, key = _open[upload]
    answer = _client().upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=content)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def complete(upload: str, parts: list[dict[str, Any]]) -> str:
    """Have the object appear; gives its ETag."""
    bucket, key = _open[upload]
    answer = _client().complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    _open.pop(upload)
    return str(answer["ETag"])


def abort(upload: str) -> None:
    """End an upload without an object."""
    bucket, key = _open.pop(upload, ("", ""))
    if bucket:
        with contextlib.suppress(Exception):  # the bucket's own rule ends what is left
            _client().abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)


def end_all() -> None:
    """End all uploads that nobody completes any more."""
    for upload in [*_open]:
        abort(upload)


def _parts(size: int) -> list[tuple[int, int, int]]:
    """Number, start and stop of parts of about the same size."""
    count = max(1, size // _PART_BYTES)
    return [(at + 1, size * at // count, size * (at + 1) // count) for at in range(count)]


_made: list[Any] = []


def _client() -> Any:
    """The client, with what the environment says to obstore too."""
    if not _made:
        import botocore.session
        from botocore.config import Config

        endpoint = os.environ.get("AWS_ENDPOINT") or os.environ.get("AWS_ENDPOINT_URL")
        style = "path" if endpoint and not os.environ.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST") else "auto"
        config = Config(s3={"addressing_style": style}, retries={"mode": "standard"})
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        session = botocore.session.get_session()
        _made.append(session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config))
    return _made[0]
