"""The lines of stdin: texts, or JSON objects."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from bertwright.data.examples import Where
from bertwright.data.reading.json_rows import json_lines
from bertwright.data.reading.rows import Rows
from bertwright.errors import BertwrightError
from bertwright.text.lines import bounded_lines, codec_of

_MARKING, _NO_TEXT = "bertwright.no-text", "\udcff"  # half of a character: no text holds it


def lines_of_stdin(encoding: str | None = None) -> Iterator[str]:
    """The lines of stdin without their ends, as they come.

    Args:
        encoding: of the bytes; None: that of the terminal. It is not detected: a stream cannot be read twice.

    Raises:
        BertwrightError: BW235 an encoding that nobody knows, BW131 a line that is no text in it,
            BW297 a line without end.
    """
    stream = sys.stdin
    if not isinstance(stream, io.TextIOWrapper):  # put there by another program: it is text already
        return (line.rstrip("\r\n") for line in stream)
    name = encoding or stream.encoding
    codec_of(name)
    return _decoded(stream.buffer, name)


def rows_of_stdin(encoding: str | None = None) -> Rows:
    """The JSON objects of stdin, one a line, as they come; raises as `lines_of_stdin` and `json_lines`."""
    return json_lines("stdin", lines_of_stdin(encoding))


def _decoded(stream: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding, errors=_MARKING, newline="\n")  # it hands on what a pipe has so far
    number = 1
    try:
        for line in bounded_lines(text, "stdin"):
            if _NO_TEXT in line:
                raise BertwrightError("BW131", where=Where("stdin", number), encoding=encoding)
            yield line.removeprefix("\ufeff" if number == 1 else "").rstrip("\r\n")
            number += 1
    except UnicodeError as error:  # a beginning that does not tell the order of the bytes
        raise BertwrightError("BW131", where=Where("stdin", number), encoding=encoding) from error
    finally:
        with suppress(ValueError):  # stdin is closed already
            text.detach()  # else this would close it


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Mark where a line is no text: lines before it have come by then, and it is told by its number."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _NO_TEXT, error.end


codecs.register_error(_MARKING, _marked)
