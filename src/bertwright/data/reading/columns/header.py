"""Whether the first row of a file holds the names of the columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from bertwright.data.reading.columns.column_names import KNOWN, plain
from bertwright.data.reading.columns.column_profile import Glance, is_number

_LONGEST_NAME = 40
_NO_NAME = frozenset('。！？；，.!?;,"“”')


def has_header(rows: Sequence[Sequence[Any]], wished: Collection[str]) -> bool:
    """Whether `rows[0]` are names. Names are no values: a known one, or one that does not fit what is below it.

    Args:
        rows: the first rows of the file.
        wished: names that the user has said.
    """
    first = [str(cell).strip() for cell in rows[0]]
    # Who says "column 2" means its place; a row of values may hold a 2. It is a name only among other numbers.
    numbered = all(not cell or is_number(cell) for cell in first)
    if any(name in first and (numbered or not is_number(name)) for name in wished):
        return True
    below = [[str(row[at]).strip() for row in rows[1:] if at < len(row)] for at in range(len(first))]
    known = [at for at, cell in enumerate(first) if plain(cell) in KNOWN]
    if known and all(len(cell) <= _LONGEST_NAME for cell in first):
        # "text" may be a text and "label" a class: a text comes once beside another name, a class again and again.
        again = [at for at in known if first[at] in below[at]]
        return len(again) < len(known) and all(Glance.of(below[at]).label_rank is None for at in again)
    # A data frame that was saved with its index has one column without a name.
    if any(not _may_be_name(cell) for cell in first[1:]) or (first[0] and not _may_be_name(first[0])):
        return False
    if len(set(first)) < len(first) or len(rows) < 3:
        return False
    looks = [Glance.of(cells) for cells in below]
    if any(look.filled and all(map(is_number, look.values)) for look in looks):
        return True
    # Words above words: the label's name is no label, and the text's name is no text.
    label = any(look.label_rank is not None and cell not in look.values for look, cell in zip(looks, first))
    text = max(range(len(first)), key=lambda at: looks[at].width)
    return label and " " not in first[text] and len(first[text].encode()) < 0.5 * looks[text].width


def _may_be_name(cell: str) -> bool:
    return bool(cell) and len(cell) <= _LONGEST_NAME and not is_number(cell) and not _NO_NAME & set(cell)
