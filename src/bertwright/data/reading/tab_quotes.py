"""What a quotation mark means in a file with tabs: GLUE writes it as it is, spreadsheets enclose fields with it.

Both are common under the same file ending, and each is read wrongly, without any error, by the other's rule.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from io import StringIO

from bertwright.text.lines import LONGEST_LINE

_FIELD = r'(?:"[^"]*(?:""[^"]*)*"|[^"\t\r\n]*)'
_RECORD = re.compile(rf"{_FIELD}(?:\t{_FIELD})*\r?\n?")
_INSIDE = re.compile(r'["\t\r\n]')  # a field that is enclosed
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
    evidence = _Evidence()
    settled = (meaning for record in _records(lines) if (meaning := evidence.add(record)) is not None)
    return next(settled, None) or evidence.meaning()


@dataclass(slots=True)
class _Evidence:
    """What the records so far show.

    Attributes:
        records: how many there were.
        quoted: those with a quote.
        certain: those that only a spreadsheet writes.
        enclosed: how often the field of each column is in quotes.
    """

    records: int = 0
    quoted: int = 0
    certain: int = 0
    enclosed: Counter[int] = field(default_factory=Counter)

    def add(self, record: str) -> TabQuotes | None:
        """Look at a record; the answer, if this one settles it."""
        self.records += 1
        if '"' not in record:
            return None
        self.quoted += 1
        if not _RECORD.fullmatch(record):
            return TabQuotes.LITERAL
        try:
            fields = next(csv.reader(StringIO(record, newline=""), delimiter="\t"))
        except csv.Error:  # a field that is too long; whoever reads it so says where it begins
            return TabQuotes.ENCLOSING
        raw = record.split("\t")
        if any(map(_INSIDE.search, fields)):
            self.certain += 1
        elif len(raw) == len(fields):
            self.enclosed.update(index for index, one in enumerate(raw) if one.startswith('"'))
        return TabQuotes.ENCLOSING if self.certain >= _ENOUGH else None

    def meaning(self) -> TabQuotes:
        """The answer, where no record settled it."""
        if not self.quoted:
            return TabQuotes.NONE
        # The line of names may stand without quotes above a column that has them everywhere.
        whole_column = any(count >= max(2, self.records - 1) for count in self.enclosed.values())
        return TabQuotes.ENCLOSING if self.certain or whole_column else TabQuotes.LITERAL


def _records(lines: Iterable[str]) -> Iterator[str]:
    """Lines, joined until their quotes are even in number, as those of an enclosed field are."""
    pending: list[str] = []
    size = 0
    for line in lines:
        odd = '"' in line and line.count('"') % 2 == 1
        if not pending and not odd:
            yield line
            continue
        size = size + len(line) if pending else len(line)
        pending.append(line)
        # The first line opened a field; the next one with an odd number closes it.
        if (odd and len(pending) > 1) or len(pending) > _MOST_LINES_OF_A_FIELD or size > LONGEST_LINE:
            yield "".join(pending)
            pending = []
    if pending:
        yield "".join(pending)
