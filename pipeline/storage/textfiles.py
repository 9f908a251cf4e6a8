"""Text files in parts of a bounded size, so that no file can fill the memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import InputError
from pipeline.storage import files

MOST_WHOLE_BYTES = 1 << 27
"""Of what is held in memory at once: a document, a line."""

MOST_RECORD_BYTES = 1 << 24
"""Of a record of delimited text, which pyarrow reads no longer ones of."""


UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""What a text in UTF-16 begins with."""


def read_whole(path: Path) -> bytes:
    """All of a text file, as `files.open_text_bytes` opens it.

    :raises InputMissingError: nothing is there.
    :raises InputError: it cannot be read, or is more than `MOST_WHOLE_BYTES`.
    """
    with files.open_text_bytes(path) as stream, files.reading(path):
        content = stream.read(MOST_WHOLE_BYTES + 1)
    if len(content) > MOST_WHOLE_BYTES:
        raise InputError(
            f"{path}: found a document of more than {MOST_WHOLE_BYTES >> 20} MB; expected JSON Lines, which can be larger"
        )
    return content


def read_lines(path: Path, size: int) -> Iterator[bytes]:
    """A text file, as `files.open_text_bytes` opens it, in parts of whole lines, each of about `size` bytes.

    :raises InputMissingError: nothing is there.
    :raises InputError: it cannot be read, or a line is more than `MOST_WHOLE_BYTES`.
    """
    line = 1
    with files.open_text_bytes(path) as stream, files.reading(path):
        while content := stream.read(size):
            line += content.count(b"\n")
            if not content.endswith(b"\n"):
                rest = stream.readline(MOST_WHOLE_BYTES + 1)
                if len(rest) > MOST_WHOLE_BYTES:
                    raise InputError(
                        f"{path} line {line}: more than {MOST_WHOLE_BYTES >> 20} MB; expected shorter lines"
                    )
                line += rest.endswith(b"\n")
                content += rest
            yield content


def not_utf8(path: Path, content: bytes = b"") -> str:
    """What is wrong with a delimited text that is not UTF-8; `content` is how it begins, if known."""
    found = "UTF-16" if content[:2] in UTF_16_MARKS else "WINDOWS-1252"
    return (
        f"{path}: not UTF-8 text; expected UTF-8; save it as CSV UTF-8, or convert it, from {found} for example: "
        f"iconv -f {found} -t UTF-8"
    )


def record_lines(path: Path, text: io.TextIOBase) -> Iterator[str]:
    """The lines of an open delimited text.

    :raises InputError: one is more than `MOST_RECORD_BYTES`.
    """
    number = 0
    while line := text.readline(MOST_RECORD_BYTES + 1):
        number += 1
        if len(line) > MOST_RECORD_BYTES:
            raise InputError(
                f"{path} line {number}: more than {MOST_RECORD_BYTES >> 20} MB; expected shorter lines"
            )
        yield line
