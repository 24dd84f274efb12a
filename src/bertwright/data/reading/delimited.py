"""CSV and TSV files, and files of plain lines, to rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bertwright.data.examples import Where
from bertwright.data.reading.rows import Row, Rows
from bertwright.data.reading.tab_quotes import TabQuotes, tab_quotes
from bertwright.data.reading.text_source import encoding_of, lines_of
from bertwright.errors import BertwrightError
from bertwright.text.files import plain_suffix

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LONGEST_FIELD = 1 << 24  # characters; what is longer is a quote that nobody closed
_LINES_LOOKED_AT = 100


def read_delimited(path: Path, encoding: str | None) -> Rows:
    """The rows of a `.csv`, `.tsv` or `.txt` file, compressed or not.

    In a CSV file quotes enclose fields (RFC 4180); what separates them is found by looking, and so is the
    meaning of quotes in a TSV file. A `.txt` file whose lines have tabs is a TSV file, any other has one text
    in each line.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW208 quotes that do not fit.
    """
    # Looking needs it as much as reading. The limit belongs to the whole process; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    encoding = encoding_of(path, encoding)
    suffix = plain_suffix(path)
    first = list(islice(lines_of(path, encoding), _LINES_LOOKED_AT))
    if suffix == ".txt" and not _has_tabs(first):
        return Rows(str(path), "plain lines", _plain(path, encoding), names=("text",), encoding=encoding)
    if suffix == ".csv":
        separator = _separator(first)
        kind = "CSV" if separator == "," else f"CSV ({_SEPARATORS[separator]})"
        rows = _enclosed(path, encoding, separator)
        return Rows(str(path), kind, rows, may_have_header=True, encoding=encoding)
    quotes = tab_quotes(lines_of(path, encoding))
    rows = _enclosed(path, encoding, "\t") if quotes is TabQuotes.ENCLOSING else _split(path, encoding)
    remarks = (quotes.value,) if quotes.value else ()
    return Rows(str(path), "TSV", rows, may_have_header=True, encoding=encoding, remarks=remarks)


def _has_tabs(lines: list[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    # A field in quotes may go over several lines.
    return bool(filled) and "\t" in filled[0] and sum("\t" in line for line in filled) >= 0.5 * len(filled)


def _separator(lines: list[str]) -> str:
    """The comma, unless the first line has none and another character cuts all lines into as many fields."""
    for separator in _SEPARATORS:
        try:
            widths = {len(fields) for fields in csv.reader(lines, delimiter=separator) if fields}
        except csv.Error:  # a field that has no end; whoever reads on says where it begins
            continue
        # A text may have commas that nobody put in quotes; the names in the first line hardly do.
        if separator == "," and lines and len(next(csv.reader(lines[:1]), [])) > 1:
            return separator
        if len(widths) == 1 and widths != {1}:
            return separator
    return ","


def _plain(path: Path, encoding: str) -> Iterator[Row]:
    source = str(path)
    for number, line in enumerate(lines_of(path, encoding), start=1):
        yield Where(source, number), [line.rstrip("\r\n")]


def _split(path: Path, encoding: str) -> Iterator[Row]:
    source = str(path)
    for number, line in enumerate(lines_of(path, encoding), start=1):
        if line := line.rstrip("\r\n"):
            yield Where(source, number), line.split("\t")


def _enclosed(path: Path, encoding: str, separator: str) -> Iterator[Row]:
    source = str(path)
    reader = csv.reader(lines_of(path, encoding), delimiter=separator, strict=True)
    start = 1
    try:
        for fields in reader:
            if fields:
                yield Where(source, start), fields
            start = reader.line_num + 1
    except csv.Error as error:
        raise BertwrightError("BW208", where=Where(source, start), reason=error) from error
