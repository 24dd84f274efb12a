"""The lines of stdin: texts, or JSON objects."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator

from bertwright.data.examples import Where
from bertwright.data.reading.json_rows import json_lines
from bertwright.data.reading.rows import Rows
from bertwright.errors import BertwrightError


def lines_of_stdin(encoding: str | None = None) -> Iterator[str]:
    """The lines of stdin without their ends, as they come.

    Args:
        encoding: of the bytes; None: that of the terminal. It is not detected: a stream cannot be read twice.

    Raises:
        BertwrightError: BW235 an encoding that nobody knows, BW131 a line that is no text in it.
    """
    stream = sys.stdin
    if not isinstance(stream, io.TextIOWrapper):  # put there by another program: it is text already
        return (line.rstrip("\r\n") for line in stream)
    name = encoding or stream.encoding
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise BertwrightError("BW235", encoding=name) from error
    return _decoded(stream.buffer, name)


def rows_of_stdin(encoding: str | None = None) -> Rows:
    """The JSON objects of stdin, one a line, as they come; raises as `lines_of_stdin` and `json_lines`."""
    return json_lines("stdin", lines_of_stdin(encoding))


def _decoded(lines: io.BufferedIOBase, encoding: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            raise BertwrightError("BW131", where=Where("stdin", number), encoding=encoding) from error
        yield text.removeprefix("\ufeff" if number == 1 else "").rstrip("\r\n")
