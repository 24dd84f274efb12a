"""Labels as they come (text, numbers, truth values) to the names of classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from bertwright.data.examples import Where
from bertwright.data.reading.columns.column_profile import is_number, is_whole
from bertwright.errors import BertwrightError

NO_AGREEMENT = "-"  # what the makers of inference data write where the annotators did not agree


def as_text(value: Any, where: Where, column: str) -> str:
    """A cell as a string; an empty one where the value is missing (None, NaN, NA).

    Raises:
        BertwrightError: BW224 the cell holds a list or an object.
    """
    if isinstance(value, str):
        return value
    if getattr(value, "shape", None) == ():
        value = value.item()  # of numpy and torch
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, (bool, int, float)) or not hasattr(value, "__len__"):
        return str(value)
    raise BertwrightError("BW224", where=where, column=column, kind=type(value).__name__)


def settle(labels: Iterable[str], known: Collection[str] = ()) -> dict[str, str]:
    """The labels that get another name: `1.0` becomes `1`, if all labels are whole numbers, or `1` is a known class
    and `1.0` is none.

    A data frame with one missing label turns all its numbers into fractions; they mean the same classes.
    """
    labels = set(labels)
    renamed = {label: label.partition(".")[0] for label in labels if "." in label and is_whole(label)}
    if known:
        return {label: name for label, name in renamed.items() if label not in known and name in known}
    return renamed if all(map(is_whole, labels)) else {}


def first_fraction(labels: Iterable[str]) -> str | None:
    """A label that is a real fraction, if all labels are numbers: such a column holds no classes."""
    labels = list(labels)
    if not labels or not all(map(is_number, labels)):
        return None
    return next((label for label in labels if not is_whole(label)), None)
