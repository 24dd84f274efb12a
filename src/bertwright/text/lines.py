"""The lines of a text file, read as they are asked for; what goes wrong on the way becomes a user's error."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertwright.errors import BertwrightError
from bertwright.text.files import detect_encoding, mark_of, open_bytes, open_text
from bertwright.text.unreadable import READ_ERRORS, unreadable


def encoding_of(path: Path, wished: str | None) -> str:
    """`wished`, if there is an encoding of that name, or the one that is found by looking.

    `utf-8` of a file with a byte-order mark becomes `utf-8-sig`, `utf-16-le` becomes `utf-16`: else the mark would be
    the first character of the first text, or of the name of the first column.

    Raises:
        BertwrightError: BW201 to BW203 as `detect_encoding`; BW235 no encoding has that name.
    """
    if wished is None:
        return detect_encoding(path)
    name = codec_of(wished).name
    mark = mark_of(path) if name.startswith("utf-") else None
    return mark if mark and name.startswith(mark.removesuffix("-sig")) else wished


def codec_of(encoding: str) -> codecs.CodecInfo:
    """The codec of that name; raises BW235 where there is none, or one such as hex, which makes no text."""
    try:
        "".encode(encoding)
        return codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise BertwrightError("BW235", encoding=encoding) from error


def lines_of(path: Path, encoding: str) -> Iterator[str]:
    """Every line with its end as it is.

    Raises:
        BertwrightError: BW202 a damaged archive; BW234 bytes that the encoding does not know.
    """
    with _user_errors(path, encoding), open_text(path, encoding) as file:
        yield from file


def blocks_of(path: Path, encoding: str, size: int = 1 << 17) -> Iterator[str]:
    """The text in parts of `size` characters; errors as `lines_of`."""
    with _user_errors(path, encoding), open_text(path, encoding) as file:
        while block := file.read(size):
            yield block


@contextmanager
def _user_errors(path: Path, encoding: str) -> Iterator[None]:
    try:
        yield
    except BertwrightError:
        raise
    except UnicodeError as error:
        where = f"{path}:{_first_line_that_is_not(path, encoding)}"
        raise BertwrightError("BW234", where=where, encoding=encoding) from error
    except READ_ERRORS as error:
        raise unreadable(path, error) from error


def _first_line_that_is_not(path: Path, encoding: str) -> int:
    # Text is decoded in blocks, so the error itself comes some lines too early.
    decoder = codecs.getincrementaldecoder(encoding)()
    number = 0
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                decoder.decode(line)
            except UnicodeError:
                return number
    return number
