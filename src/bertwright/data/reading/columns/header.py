"""Whether the first row of a file holds the names of the columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bertwright.data.reading.columns.column_names import KNOWN, plain
from bertwright.data.reading.columns.column_profile import ColumnProfile, is_number

_LONGEST_NAME = 40
_NO_NAME = frozenset('。！？；，.!?;,"“”')


@dataclass(frozen=True, slots=True)
class _FirstRow:
    """A row that may be a header.

    Attributes:
        cells: of it.
        below: the columns without it.
        rows: how many there are, this one included.
        wished: names that the user has said.
        usual: names that make a header by themselves.
    """

    cells: Sequence[str]
    below: Sequence[ColumnProfile]
    rows: int
    wished: Collection[str]
    usual: Collection[str]

    def of_usual_names(self) -> bool | None:
        """A usual name, and no value of its column."""
        columns = zip(self.cells, self.below)
        return any(plain(cell) in self.usual and cell not in column.values for cell, column in columns) or None

    def of_wished_names(self) -> bool | None:
        """Who says "column 2" means its place; a row of values may hold a 2. It is a name only among other numbers."""
        numbered = all(not cell or is_number(cell) for cell in self.cells)
        return any(name in self.cells and (numbered or not is_number(name)) for name in self.wished) or None

    def of_known_names(self) -> bool | None:
        """ "text" may be a text and "label" a class: a text comes once beside another name, a class again and again."""
        if any(len(cell) > _LONGEST_NAME for cell in self.cells):
            return None
        known = [(cell, column) for cell, column in zip(self.cells, self.below) if plain(cell) in KNOWN]
        again = [column for cell, column in known if cell in column.values]
        return (len(again) < len(known) and all(column.label_rank is None for column in again)) if known else None

    def of_what_is_no_name(self) -> bool | None:
        """A data frame that was saved with its index has one column without a name, in front."""
        named = [cell for at, cell in enumerate(self.cells) if cell or at]
        is_doubtful = not all(map(_may_be_name, named)) or len(set(self.cells)) < len(self.cells) or self.rows < 3
        return False if is_doubtful else None

    def above_numbers(self) -> bool | None:
        """Words above numbers."""
        return any(column.filled and all(map(is_number, column.values)) for column in self.below) or None

    def above_words(self) -> bool | None:
        """Words above words: the label's name is no label, and the text's name is no text."""
        columns = zip(self.cells, self.below)
        label = any(column.label_rank is not None and cell not in column.values for cell, column in columns)
        name, texts = max(zip(self.cells, self.below), key=lambda pair: pair[1].width)
        return label and " " not in name and len(name.encode()) < 0.5 * texts.width


# Each says yes, no, or (None) nothing; the first one that says something decides.
_RULES: tuple[Callable[[_FirstRow], bool | None], ...] = (
    _FirstRow.of_usual_names,
    _FirstRow.of_wished_names,
    _FirstRow.of_known_names,
    _FirstRow.of_what_is_no_name,
    _FirstRow.above_numbers,
    _FirstRow.above_words,
)


def has_header(rows: Sequence[Sequence[Any]], wished: Collection[str], usual: Collection[str] = ()) -> bool:
    """Whether `rows[0]` are names. Names are no values: a known one, or one that does not fit what is below it.

    Args:
        rows: the first rows of the file.
        wished: names that the user has said.
        usual: plain names of which one is enough, if it is no value of its column.
    """
    cells = [str(cell).strip() for cell in rows[0]]
    # A header that comes again, where files were put together, makes no values of its names.
    is_known = len(cells) > 1 and all(plain(cell) in KNOWN for cell in cells)
    others = [row for row in rows[1:] if not is_known or [str(cell).strip() for cell in row] != cells]
    below = [ColumnProfile.of([row[at] for row in others if at < len(row)]) for at in range(len(cells))]
    first = _FirstRow(cells, below, len(rows), wished, usual)
    return next((said for rule in _RULES if (said := rule(first)) is not None), False)


def _may_be_name(cell: str) -> bool:
    return bool(cell) and len(cell) <= _LONGEST_NAME and not is_number(cell) and not _NO_NAME & set(cell)
