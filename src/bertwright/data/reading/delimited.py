"""CSV and TSV files, and files of plain lines, to rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator

from bertwright.data.examples import Where
from bertwright.data.reading.labelled_lines import form_of_lines
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.rows import Row, Rows
from bertwright.data.reading.tab_quotes import TabQuotes, tab_quotes
from bertwright.errors import BertwrightError
from bertwright.text.lines import LONGEST_LINE, refuse_endless
from bertwright.wording import Phrase, said

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_FULL_WIDTH = "，；｜"
_LINES_LOOKED_AT = 100
_MOST_COLUMNS = 10_000
_ALL_CURLY = re.compile(r"\s*[“”].*?[“”](?:[,;\t，][“”].*?[“”])+\s*")
_UNFINISHED = "unexpected end of data"  # as the module csv calls it


def read_delimited(source: OpenedSource) -> Rows:
    """The rows of a `.csv`, `.tsv` or `.txt` file, compressed or not.

    In a CSV file quotes enclose fields (RFC 4180); what separates them is found by looking, and so is the
    meaning of quotes in a TSV file. A `.txt` file whose lines have tabs is a TSV file, any other has one text
    in each line.

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW208 quotes that do not fit; BW216
            full-width signs between the columns; BW270 a delimiter was named that the first line does not have; BW297
            and BW298 lines, rows or columns without end.
    """
    # Looking needs it as much as reading. The limit belongs to the whole process; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    first = source.first_lines(_LINES_LOOKED_AT)
    _refuse_strange_delimiter(source, first)
    _refuse_curly_quotes(source, first)
    if source.delimiter is None and (form := form_of_lines(first)) is not None:
        rows = _lines(source, form.fields_of)
        remark = (form.remark,)
        return Rows(str(source), "labelled lines", rows, ("label", "text"), encoding=source.encoding, remarks=remark)
    if source.suffix == ".txt" and source.delimiter is None and not _has_tabs(first):
        rows = _lines(source, lambda line: [line])
        return Rows(str(source), "plain lines", rows, ("text",), encoding=source.encoding)
    if source.suffix == ".csv" or source.delimiter not in (None, "\t"):
        separator = source.delimiter or _separator(first)
        _refuse_full_width(source, first, separator)
        kind = "CSV" if separator == "," else f"CSV ({_SEPARATORS.get(separator, separator)})"
        spaced = _has_spaces_before_quotes(first, separator)
        rows = _filled(_enclosed(source, separator, spaced=spaced))
        remarks = (said("spaces before quotes are left out"),) if spaced else ()
        return Rows(str(source), kind, rows, may_have_header=True, encoding=source.encoding, remarks=remarks)
    quotes = tab_quotes(source.lines())
    rows = _filled(_enclosed(source, "\t") if quotes is TabQuotes.ENCLOSING else _lines(source, _split))
    remarks = (said(quotes.value),) if quotes.value else ()
    return Rows(str(source), "TSV", rows, may_have_header=True, encoding=source.encoding, remarks=remarks)


def _refuse_strange_delimiter(source: OpenedSource, lines: list[str]) -> None:
    """Raise BW270 where somebody named a delimiter that the first line does not have."""
    filled = [line for line in lines if line.strip("\r\n ")]
    if source.delimiter is None or not filled or source.delimiter in filled[0]:
        return
    there = next((sign for sign in (*_SEPARATORS, *_FULL_WIDTH) if all(sign in one for one in filled)), "")
    found = Phrase("no sign that separates columns stands in every line")
    way_out = Phrase("look at the file, and leave --delimiter out to have the separator found")
    if there:
        name = Phrase("tab") if there == "\t" else f"'{there}'"
        found = Phrase("what separates the columns of this file is {sign}", sign=name)
        way_out = Phrase("leave --delimiter out, or write --delimiter {sign!q}", sign="tab" if there == "\t" else there)
    delimiter = Phrase("tab") if source.delimiter == "\t" else source.delimiter
    raise BertwrightError("BW270", source=source, delimiter=delimiter, found=found, way_out=way_out)


def _refuse_curly_quotes(source: OpenedSource, lines: list[str]) -> None:
    """Raise BW208 where every field of every line stands in the quotes of a text, which are none of a table."""
    filled = [line for line in lines if line.strip()]
    if len(filled) > 1 and all(map(_ALL_CURLY.fullmatch, filled)):
        reason = Phrase("“ ” stand around every field, where a table has plain quotes")
        raise BertwrightError("BW208", where=Where(str(source), 1), reason=reason)


def _refuse_full_width(source: OpenedSource, lines: list[str], separator: str) -> None:
    """Raise BW216 where every line has a full-width sign instead of a separator."""
    filled = [line for line in lines if line.strip()]
    if source.delimiter is None and len(filled) >= 2 and not any(separator in line for line in filled[:1]):
        for sign in _FULL_WIDTH:
            if all(sign in line for line in filled) and filled[0].count(sign) < 4 and len(filled[0]) < 40:
                raise BertwrightError("BW216", where=Where(str(source), 1), sign=sign)


def _has_tabs(lines: list[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    # A field in quotes may go over several lines.
    return bool(filled) and "\t" in filled[0] and sum("\t" in line for line in filled) >= 0.5 * len(filled)


def _separator(lines: list[str]) -> str:
    """The comma, unless the first line has none and another character cuts all lines into as many fields."""
    for separator in _SEPARATORS:
        widths = _widths(lines, separator)
        # A text may have commas that nobody put in quotes; the names in the first line hardly do.
        if widths[:1] > [1] and (separator == "," or len(set(widths)) == 1):
            return separator
    return ","


def _widths(lines: list[str], separator: str) -> list[int]:
    """How many fields the records have; empty where they cannot be read."""
    try:
        widths = [len(fields) for fields in csv.reader(lines, delimiter=separator) if fields]
    except csv.Error:  # a field that has no end; whoever reads on says where it begins
        return []
    may_go_on = len(lines) == _LINES_LOOKED_AT and len(widths) > 1  # the last one, behind the lines
    return widths[:-1] if may_go_on else widths


def _has_spaces_before_quotes(lines: list[str], separator: str) -> bool:
    """Whether quotes that enclose fields have spaces before them (`"a", "b"`); RFC 4180 has no such ones."""
    if not any(f"{separator} " in line and '"' in line for line in lines):
        return False
    readings: list[list[list[str]]] = []
    for spaced in (False, True):
        reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=spaced)
        rows: list[list[str]] = []
        try:
            for fields in reader:
                rows.append([field.lstrip(" ") for field in fields])
        except csv.Error as error:
            if str(error) != _UNFINISHED:  # a field that goes on behind the last line is no mistake
                return False
        readings.append(rows)
    return readings[0] != readings[1]


def _lines(source: OpenedSource, fields_of: Callable[[str], list[str]]) -> Iterator[Row]:
    name = str(source)
    for number, line in enumerate(source.lines(), start=1):
        yield Where(name, number), fields_of(line.rstrip("\r\n"))


def _split(line: str) -> list[str]:
    return line.split("\t") if line else []


def _filled(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows without the blank lines between them; in a file of one column a blank line is an empty cell, except at the
    end.
    """
    blank: list[Where] = []
    width = 0
    for where, fields in rows:
        if fields:
            if len(fields) > _MOST_COLUMNS:
                raise BertwrightError("BW298", where=where, count=len(fields), limit=_MOST_COLUMNS)
            yield from ((place, [""]) for place in blank)
            blank.clear()
            width = width or len(fields)
            yield where, fields
        elif width == 1:
            blank.append(where)


def _enclosed(source: OpenedSource, separator: str, *, spaced: bool = False) -> Iterator[Row]:
    name = str(source)
    record: list[str] = []  # the lines of the row

    def kept() -> Iterator[str]:
        size = 0
        for line in source.lines():
            size = size + len(line) if record else len(line)
            record.append(line)
            if size > LONGEST_LINE:  # a quotation mark that nobody closed
                refuse_endless(Where(name, start), Phrase("the row"), LONGEST_LINE)
            yield line

    reader = csv.reader(kept(), delimiter=separator, strict=True, skipinitialspace=spaced)
    start = 1
    try:
        for fields in reader:
            suspect = not spaced and any(field[:1] == " " and field.lstrip(" ")[:1] == '"' for field in fields)
            if suspect and _has_spaces_before_quotes(record, separator):
                reason = Phrase("a space before a quotation mark, where the rows before have none")
                raise BertwrightError("BW208", where=Where(name, start), reason=reason)
            yield Where(name, start), fields
            start = reader.line_num + 1
            record.clear()
    except csv.Error as error:
        reason = Phrase(str(error).replace("{", "{{").replace("}", "}}"))  # it may quote the separator
        raise BertwrightError("BW208", where=Where(name, start), reason=reason) from error
