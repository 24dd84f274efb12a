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
from bertwright.text.lines import codec_of


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
    codec_of(name)
    return _decoded(stream.buffer, codecs.getincrementaldecoder(name)(), name)


def rows_of_stdin(encoding: str | None = None) -> Rows:
    """The JSON objects of stdin, one a line, as they come; raises as `lines_of_stdin` and `json_lines`."""
    return json_lines("stdin", lines_of_stdin(encoding))


def _decoded(stream: io.BufferedIOBase, decoder: codecs.IncrementalDecoder, encoding: str) -> Iterator[str]:
    number = 1  # of the line that is not whole yet
    begun = ""
    is_over = False
    while not is_over:
        # In UTF-16 and UTF-32 the byte of a line feed is half a character, or no line feed at all.
        content = stream.readline()
        before = decoder.getstate()
        try:
            begun += decoder.decode(content)
            while content and decoder.getstate()[0] and (more := stream.read(1)):
                content += more
                begun += decoder.decode(more)
            is_over = not content
            if is_over:
                begun += decoder.decode(b"", final=True)
        except UnicodeError as error:
            decoder.setstate(before)
            number += _whole_lines(decoder, content)
            raise BertwrightError("BW131", where=Where("stdin", number), encoding=encoding) from error
        *lines, begun = begun.split("\n")
        for line in [*lines, begun] if is_over and begun else lines:
            yield line.removeprefix("\ufeff" if number == 1 else "").rstrip("\r\n")
            number += 1


def _whole_lines(decoder: codecs.IncrementalDecoder, content: bytes) -> int:
    """How many lines end in `content` before the bytes that are no text."""
    text = ""
    for byte in content:
        try:
            text += decoder.decode(bytes([byte]))
        except UnicodeError:
            break
    return text.count("\n")
