"""Parquet files to rows, by pyarrow (the extra `data`)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from bertwright.data.examples import Where
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.reading.rows import Row, Rows
from bertwright.errors import BertwrightError

_ROWS_AT_ONCE = 4096


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
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these kinds
        raise BertwrightError("BW232", file=source, reason=str(error).splitlines()[0]) from error
    return Rows(str(source), "Parquet", _rows(str(source), file), names)


def _rows(source: str, file: Any) -> Iterator[Row]:
    number = 0
    with file:
        try:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for fields in zip(*(_cells(column) for column in batch.columns)):
                    number += 1
                    yield Where(source, number), fields
        except (OSError, ValueError) as error:
            raise BertwrightError("BW232", file=source, reason=str(error).splitlines()[0]) from error


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
