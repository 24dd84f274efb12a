"""The lines of a text file, read as they are asked for; what goes wrong on the way becomes a user's error."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn, TextIO

from bertwright.errors import BertwrightError
from bertwright.text.files import byte_lines, detect_encoding, mark_of, open_bytes, open_text
from bertwright.text.unreadable import READ_ERRORS, unreadable
from bertwright.wording import Phrase

LONGEST_LINE = 1 << 24  # characters; a book has a tenth of it


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
        BertwrightError: BW202 a damaged archive; BW234 bytes that the encoding does not know; BW297 a line without end.
    """
    with _user_errors(path, encoding), open_text(path, encoding) as file:
        yield from bounded_lines(file, str(path))


def bounded_lines(file: TextIO, source: str) -> Iterator[str]:
    """The lines of an open text; raises BW297 for one that is longer than `LONGEST_LINE`."""
    limit = LONGEST_LINE
    for number, line in enumerate(iter(partial(file.readline, limit + 1), ""), start=1):
        if len(line) > limit:
            refuse_endless(f"{source}:{number}", Phrase("the line"), limit)
        yield line


def refuse_endless(where: object, what: Phrase, limit: int) -> NoReturn:
    """Raise BW297 for a part of a file, such as a line, that is longer than any that is meant.

    Raises:
        BertwrightError: BW297.
    """
    raise BertwrightError("BW297", where=where, what=what, limit=limit)


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
        for number, line in byte_lines(file):
            try:
                decoder.decode(line)
            except UnicodeError:
                return number
    return number
