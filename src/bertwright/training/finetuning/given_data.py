"""What a caller gave to learn from, put into one form, and said."""

from __future__ import annotations

import logging
from collections.abc import Sized
from pathlib import Path
from typing import Any

from bertwright.data.reading.tables import Table
from bertwright.errors import BertwrightError

log = logging.getLogger("bertwright")


def rows_of(train: Any, dev: Any) -> tuple[Any, Any]:
    """Texts and the labels behind them as rows of both; whatever else was given as it is.

    Raises:
        BertwrightError: BW534 not as many labels as texts.
    """
    if isinstance(dev, str | Path) or not _is_list(train) or not _is_list(dev):
        return train, dev
    texts, labels = list(train), list(dev)
    are_texts = all(isinstance(one, str) for one in texts)
    if not texts or not are_texts or not all(isinstance(one, str | int | float) for one in labels):
        return train, dev
    if len(texts) != len(labels):
        raise BertwrightError("BW534", texts=len(texts), labels=len(labels))
    return [{"text": text, "label": label} for text, label in zip(texts, labels)], None


def say_read(table: Table) -> None:
    """What was read; a warning where something of it was lost, so that it is seen in every program."""
    log.log(logging.WARNING if table.has_lost else logging.INFO, table.summary())


def _is_list(value: Any) -> bool:
    """Whether it is a list, an array or a column of a data frame."""
    return isinstance(value, Sized) and not isinstance(value, str | bytes | dict) and not hasattr(value, "columns")
