"""Parquet files to rows, by pyarrow (the extra `data`)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from bertwright.data.examples import Where
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.rows import Row, Rows
from bertwright.errors import BertwrightError
from bertwright.text.lines import LONGEST_LINE, refuse_endless
from bertwright.wording import Phrase

_ROWS_AT_ONCE = 4096
_AT_ONCE = 1 << 26  # bytes of rows
_MOST_UNPACKED, _MOST_GROWTH = 1 << 28, 200  # bytes of a column's part, and times that it may grow
_REFUSALS = (ValueError, TypeError, KeyError, ArithmeticError, NotImplementedError)  # pyarrow's own are of these kinds


def read_parquet(source: OpenedSource) -> Rows:
    """The rows of a Parquet file; a place such as `train.parquet:17` is the 17th row.

    Some programs write texts as bytes: what is UTF-8 becomes text, other bytes stay what they are.

    Raises:
        BertwrightError: BW231 pyarrow is not installed; BW232 the file is no Parquet file, or a damaged one.
    """
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise BertwrightError("BW231", file=source) from error
    try:
        file = parquet.ParquetFile(source.path)
        names = tuple(file.schema_arrow.names)
    except (OSError, *_REFUSALS) as error:
        raise BertwrightError("BW232", file=source, reason=_first_line(error)) from error
    return Rows(str(source), "Parquet", _rows(str(source), file), names)


def _rows(source: str, file: Any) -> Iterator[Row]:
    number = 0
    with file:
        try:
            for batch in file.iter_batches(batch_size=_rows_at_once(source, file)):
                for fields in zip(*(_cells(column) for column in batch.columns)):
                    number += 1
                    _refuse_endless_cells(fields, Where(source, number))
                    yield Where(source, number), fields
        except (OSError, *_REFUSALS) as error:  # such as a date beyond the year 9999
            raise BertwrightError("BW232", file=source, reason=_first_line(error)) from error


def _rows_at_once(source: str, file: Any) -> int:
    """So many rows that they take little memory, by what the file says of its parts.

    Raises:
        BertwrightError: BW299 a part that repeats one thing without end.
    """
    rows, largest = 1, 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        parts = [group.column(index) for index in range(group.num_columns)]
        for part in parts:
            size, packed = part.total_uncompressed_size, max(part.total_compressed_size, 1)
            if size > max(_MOST_UNPACKED, _MOST_GROWTH * packed):
                raise BertwrightError("BW299", file=source, size=packed, limit=_MOST_UNPACKED)
        rows, largest = max(rows, group.num_rows), max(largest, sum(part.total_uncompressed_size for part in parts))
    return max(1, min(_ROWS_AT_ONCE, _AT_ONCE * rows // max(largest, 1)))


def _refuse_endless_cells(fields: Iterable[Any], where: Where) -> None:
    for cell in fields:
        if isinstance(cell, str | bytes) and len(cell) > LONGEST_LINE:
            refuse_endless(where, Phrase("the cell"), LONGEST_LINE)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _cells(column: Any) -> list[Any]:
    cells: list[Any] = column.to_pylist()
    if "binary" not in str(column.type):
        return cells
    return [_decoded(cell) if isinstance(cell, bytes) else cell for cell in cells]


def _decoded(cell: bytes) -> str | bytes:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell
