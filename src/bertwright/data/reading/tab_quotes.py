"""What a quotation mark means in a file with tabs: GLUE writes it as it is, spreadsheets enclose fields with it.

Both are common under the same file ending, and each is read wrongly, without any error, by the other's rule.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from io import StringIO

_FIELD = r'(?:"[^"]*(?:""[^"]*)*"|[^"\t\r\n]*)'
_RECORD = re.compile(rf"{_FIELD}(?:\t{_FIELD})*\r?\n?")
_MOST_LINES_OF_A_FIELD = 1000
_ENOUGH = 100  # records that only a spreadsheet writes


class TabQuotes(Enum):
    """The meaning of quotation marks; the value says it to the user."""

    NONE = ""
    LITERAL = "quotes are ordinary characters"
    ENCLOSING = "quotes enclose fields"


def tab_quotes(lines: Iterable[str]) -> TabQuotes:
    """The meaning of the quotes in these lines.

    They enclose fields only if every record that has any can be read so, and something shows that it was
    meant: a doubled quote, a tab or a line break inside, or a column of which every field is enclosed.
    A field such as `"Jaws"` alone shows nothing.
    """
    records = quoted = certain = 0
    enclosed: Counter[int] = Counter()
    for record in _records(lines):
        records += 1
        if '"' not in record:
            continue
        quoted += 1
        if not _RECORD.fullmatch(record):
            return TabQuotes.LITERAL
        raw = record.split("\t")
        try:
            fields = next(csv.reader(StringIO(record, newline=""), delimiter="\t"))
        except csv.Error:  # a field that is too long; whoever reads it so says where it begins
            return TabQuotes.ENCLOSING
        if any(mark in field for field in fields for mark in '"\t\r\n'):
            certain += 1
            if certain >= _ENOUGH:
                return TabQuotes.ENCLOSING
        elif len(raw) == len(fields):
            enclosed.update(index for index, field in enumerate(raw) if field.startswith('"'))
    if not quoted:
        return TabQuotes.NONE
    # The line of names may stand without quotes above a column that has them everywhere.
    whole_column = any(count >= max(2, records - 1) for count in enclosed.values())
    return TabQuotes.ENCLOSING if certain or whole_column else TabQuotes.LITERAL


def _records(lines: Iterable[str]) -> Iterator[str]:
    """Lines, joined until their quotes are even in number, as those of an enclosed field are."""
    pending: list[str] = []
    for line in lines:
        odd = '"' in line and line.count('"') % 2 == 1
        if not pending and not odd:
            yield line
            continue
        pending.append(line)
        # The first line opened a field; the next one with an odd number closes it.
        if (odd and len(pending) > 1) or len(pending) > _MOST_LINES_OF_A_FIELD:
            yield "".join(pending)
            pending = []
    if pending:
        yield "".join(pending)
