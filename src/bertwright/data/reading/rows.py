"""`Rows`: what every reader of a format makes, before anybody knows which column holds what; cells to texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertwright.data.examples import Where
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, shown

# The fields of a row by their position, or by their names where every row brings these itself (JSON objects).
Fields = Sequence[Any] | Mapping[str, Any]
Row = tuple[Where, Fields]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one source, one after the other.

    Attributes:
        source: its name.
        format: such as `CSV`, as it is told to the user.
        rows: each with its place; read as they are asked for.
        names: of the columns, where the format has them outside of its rows.
        may_have_header: whether the first row may hold the names.
        encoding: of the file; empty for rows in memory.
        remarks: what was decided by looking.
    """

    source: str
    format: str
    rows: Iterator[Row]
    names: tuple[str, ...] | None = None
    may_have_header: bool = False
    encoding: str = ""
    remarks: tuple[str, ...] = ()


def cell_of(fields: Fields, key: Any) -> Any:
    """What stands under a position or a key; empty where the row has nothing there."""
    if isinstance(fields, Mapping):
        return fields.get(key, "")
    return fields[key] if key < len(fields) else ""


def is_missing(value: Any) -> bool:
    """Whether nothing stands in a cell: None, NaN, or the NA of a data frame."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def as_text(value: Any, where: Where, column: str | None) -> str:
    """A cell as a string; an empty one where the value is missing (None, NaN, NA).

    Raises:
        BertwrightError: BW224 the cell holds a list or an object.
    """
    if isinstance(value, str):
        return value
    if getattr(value, "shape", None) == ():
        value = value.item()  # of numpy and torch
    if is_missing(value):
        return ""
    if isinstance(value, (bool, int, float)) or not hasattr(value, "__len__"):
        return str(value)
    kind, way_out = what_it_is(value)
    raise BertwrightError("BW224", where=where, column=column, kind=kind, way_out=way_out)


def what_it_is(value: Any) -> tuple[Phrase, Phrase]:
    """What a cell holds that is no text, and how to make one of it."""
    if isinstance(value, Mapping):
        kind = Phrase("an object with the keys {keys}", keys=shown(value, 5) or "-")
        return kind, Phrase("write the value of one of its keys there, as a string")
    if isinstance(value, bytes):
        return Phrase("bytes that are no UTF-8"), Phrase("write the text there, as a string")
    items = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str) for one in value]
    kind = Phrase("a list of {n} ({items})", n=len(items), items=shown((one[:20] for one in items), 3))
    if len(items) == 1:
        return kind, Phrase("write its one item there, without brackets")
    return kind, Phrase("join the parts of a text by spaces; of several labels, which no task here learns, write one")
