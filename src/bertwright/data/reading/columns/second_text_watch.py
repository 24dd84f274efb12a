"""Second texts that come so late in a source that its columns were chosen without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bertwright.data.reading.columns.column_names import PAIRS, plain
from bertwright.data.reading.columns.column_profile import Glance
from bertwright.data.reading.rows import Row
from bertwright.errors import BertwrightError


def partners_of(names: Collection[str]) -> frozenset[str]:
    """What second texts are called beside columns with these plain names."""
    return frozenset(second for first, second in PAIRS if first in names)


def watched(rows: Iterator[Row], keys: Mapping[Any, str], partners: Collection[str], looked_at: int) -> Iterator[Row]:
    """The rows, as long as nothing stands where a second text would.

    Args:
        rows: the ones that nobody has looked at.
        keys: where things stand in a row, with their names.
        partners: plain names of second texts.
        looked_at: how many rows there were before.

    Raises:
        BertwrightError: BW237 when a row with a second text is reached.
    """
    late = {key: name for key, name in keys.items() if plain(name) in partners}
    known = set(keys)
    for where, fields in rows:
        if not partners or (not late and not isinstance(fields, Mapping)):
            yield where, fields
            break  # nothing can come
        if isinstance(fields, Mapping):
            for key in fields.keys() - known:
                known.add(key)
                if plain(str(key)) in partners:
                    late[key] = str(key)
        for key, name in late.items():
            value = fields.get(key) if isinstance(fields, Mapping) else fields[key] if key < len(fields) else None
            if value is not None and Glance.of([value]).filled:
                raise BertwrightError("BW237", where=where, column=name, count=looked_at)
        yield where, fields
    yield from rows
