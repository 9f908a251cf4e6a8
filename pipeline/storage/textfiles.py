"""Text files: compressed by suffix, read in parts of bounded size, so that no file can fill the memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any, cast

from ..errors import InputError
from . import files
from .formats import compression
from .locations import Location
from .writing import NewFile

MAX_WHOLE_BYTES = 1 << 27
"""Maximum bytes of a document or a line, which is in memory as a whole."""

MAX_RECORD_BYTES = 1 << 24
"""Maximum bytes of one record of delimited text; pyarrow cannot read longer ones."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""The first bytes of a text in UTF-16."""

# No table is compressed a thousandfold. The limit does not apply to small files.
_MAX_UNPACKED_TIMES, _MIN_REFUSED_BYTES = 1000, 1 << 26


def open_text_bytes(path: Location) -> IO[bytes]:
    """The bytes of a text file: decompressed by its `.gz` or `.zst` suffix, without a byte order mark.

    Reading the result may raise OSError for damaged compressed data: read inside `reading`.
    """
    import pyarrow as pa

    raw = files.open_bytes(path)
    packed = compression(path.name)
    # pyarrow rather than gzip: it decompresses both formats and rejects truncated data.
    plain: Any = _Unpacked(path, pa.input_stream(raw, compression=packed)) if packed else raw
    buffered: IO[bytes] = io.BufferedReader(plain, buffer_size=files.DIGEST_BUFFER)
    with files.reading(path):
        if buffered.peek(3)[:3] == BYTE_ORDER_MARK:  # type: ignore[attr-defined]  # BufferedReader has it
            buffered.read(3)
    return buffered


def text_bytes_of(created: NewFile) -> IO[bytes]:
    """A new file as one of text, compressed by its suffix; equal content gives equal bytes."""
    import pyarrow as pa

    packed = compression(created.path.name)
    stream: Any = pa.output_stream(created, compression=packed) if packed else created
    return cast("IO[bytes]", stream)


def read_whole(path: Location) -> bytes:
    """The whole content of a text file, as `open_text_bytes` opens it.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it cannot be read, or is more than `MAX_WHOLE_BYTES`.
    """
    with open_text_bytes(path) as stream, files.reading(path):
        content = stream.read(MAX_WHOLE_BYTES + 1)
    if len(content) > MAX_WHOLE_BYTES:
        raise InputError(
            f"{path}: found a document of more than {MAX_WHOLE_BYTES >> 20} MB; expected JSON Lines, which can be larger"
        )
    return content


def read_lines(path: Location, size: int) -> Iterator[bytes]:
    """The content of a text file, as `open_text_bytes` opens it, in parts of whole lines of about `size` bytes.

    :raises InputMissingError: nothing has that name.
    :raises InputError: it cannot be read, or a line is more than `MAX_WHOLE_BYTES`.
    """
    before = 0
    with open_text_bytes(path) as stream, files.reading(path):
        while content := stream.read(size):
            if not content.endswith(b"\n"):
                rest = stream.readline(MAX_WHOLE_BYTES + 1)
                if len(rest) > MAX_WHOLE_BYTES:
                    line = _line_after(path, before + len(content))
                    raise InputError(
                        f"{path} line {line}: more than {MAX_WHOLE_BYTES >> 20} MB; expected shorter lines"
                    )
                content += rest
            before += len(content)
            yield content


def _line_after(path: Location, size: int) -> int:
    """The number of the line that goes on after so many bytes. Counting all lines while reading would double the time."""
    line = 1
    with open_text_bytes(path) as stream, files.reading(path):
        while size and (part := stream.read(min(size, files.DIGEST_BUFFER))):
            line += part.count(b"\n")
            size -= len(part)
    return line


def not_utf8(path: Location, content: bytes = b"") -> str:
    """The message for a delimited text that is not UTF-8; `content` is its beginning, if known."""
    found = "UTF-16" if content[:2] in UTF_16_MARKS else "WINDOWS-1252"
    return (
        f"{path}: not UTF-8 text; expected UTF-8; save it as CSV UTF-8, or convert it, from {found} for example: "
        f"iconv -f {found} -t UTF-8"
    )


def record_lines(path: Location, text: io.TextIOBase) -> Iterator[str]:
    """The lines of an open delimited text.

    :raises InputError: one is more than `MAX_RECORD_BYTES`.
    """
    number = 0
    while line := text.readline(MAX_RECORD_BYTES + 1):
        number += 1
        if len(line) > MAX_RECORD_BYTES:
            raise InputError(
                f"{path} line {number}: more than {MAX_RECORD_BYTES >> 20} MB; expected shorter lines"
            )
        yield line


class _Unpacked(io.RawIOBase):
    """The content of a compressed file; reading fails if it unpacks to more than any table would."""

    def __init__(self, path: Location, stream: Any) -> None:
        self._path, self._stream = path, stream
        self._left = max(_MIN_REFUSED_BYTES, _MAX_UNPACKED_TIMES * files.signature(path).size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        taken: int = self._stream.readinto(buffer)
        self._left -= taken
        if self._left < 0:
            raise InputError(
                f"{self._path}: unpacks to more than {_MAX_UNPACKED_TIMES} times its size; expected a table or scores"
            )
        return taken

    def close(self) -> None:
        self._stream.close()
        super().close()
