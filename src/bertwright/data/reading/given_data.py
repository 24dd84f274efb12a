"""What a caller in Python gave, put into one form, and said."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sized
from numbers import Real
from typing import Any

from bertwright.data.reading.rows import is_missing
from bertwright.data.reading.tables import Table
from bertwright.errors import BertwrightError

log = logging.getLogger("bertwright")


def rows_of(data: Any, labels: Any) -> tuple[Any, Any]:
    """Texts and the labels behind them as rows of both; whatever else was given as it is.

    Missing texts and labels stay missing: they are counted as in a file.

    Raises:
        BertwrightError: BW534 not as many labels as texts.
    """
    if not _is_list(data) or not _is_list(labels):
        return data, labels
    texts, behind = list(data), list(labels)
    some_text = any(isinstance(one, str) for one in texts)
    if not some_text or not all(isinstance(one, str) or is_missing(one) for one in texts):
        return data, labels
    if not all(_is_cell(one) for one in behind):
        return data, labels
    if len(texts) != len(behind):
        raise BertwrightError("BW534", texts=len(texts), labels=len(behind))
    return [{"text": text, "label": label} for text, label in zip(texts, behind)], None


def labelled_rows(data: Any, labels: Any) -> Any:
    """Data to be judged on: as given, or texts and the labels behind them as rows of both.

    Raises:
        BertwrightError: BW534 not as many labels as texts, BW535 labels that stand beside something else.
    """
    rows, rest = rows_of(data, labels)
    if rest is not None:
        raise BertwrightError("BW535", kind=type(data).__name__)
    return rows


def say_read(table: Table) -> None:
    """What was read; a warning where something of it was lost, so that it is seen in every program."""
    log.log(logging.WARNING if table.has_lost else logging.INFO, table.summary())


def _is_list(value: Any) -> bool:
    """Whether it is a list, an array or a column of a data frame."""
    is_sequence = isinstance(value, Sized) and isinstance(value, Iterable)
    return is_sequence and not isinstance(value, str | bytes | dict) and not hasattr(value, "columns")


def _is_cell(value: Any) -> bool:
    """Whether it is one label: a word or a number, of numpy and torch too, or a missing one."""
    return isinstance(value, str | Real) or is_missing(value) or getattr(value, "shape", None) == ()
