"""What is seen of a column without its name: long and ever different texts, or a few short labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_CODE = re.compile(r"[!-~]*[\d/_@][!-~]*")  # ASCII without a space: an id, a date, an address
_LONGEST_LABEL = 48  # bytes
_LABEL_WORDS = frozenset(
    (
        *("positive", "negative", "neutral", "pos", "neg", "neu", "true", "false", "yes", "no"),
        *("entailment", "contradiction", "not_entailment", "good", "bad", "spam", "ham", "正面", "负面", "中性"),
        *("积极", "消极", "好评", "差评", "中评", "正", "负", "是", "否", "对"),
        *("错", "真", "假", "蕴含", "矛盾", "中立"),
    )
)


def is_number(value: str) -> bool:
    """Whether `value` is written as a number."""
    return _NUMBER.fullmatch(value) is not None


def is_whole(value: str) -> bool:
    """Whether `value` is written as a whole number; `1.0` is one."""
    return _WHOLE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """A column, from some of its rows.

    Attributes:
        rows: how many rows were looked at.
        values: their distinct values, without the empty one.
        filled: rows that have a value.
        width: mean length of the values in bytes, by which a Chinese character weighs as much as a short word.
    """

    rows: int
    values: frozenset[str]
    filled: int
    width: float

    @classmethod
    def of(cls, cells: Sequence[Any]) -> ColumnProfile:
        """A look at these cells."""
        # Lists, mappings and bytes are neither texts nor labels.
        plain = [
            cell if isinstance(cell, str) else "" if isinstance(cell, (list, dict, bytes)) else str(cell)
            for cell in cells
        ]
        filled = [value for cell in plain if (value := cell.strip()) and value not in ("None", "nan", "<NA>")]
        width = sum(len(value.encode("utf-8", "replace")) for value in filled) / max(len(filled), 1)
        return cls(len(cells), frozenset(filled), len(filled), width)

    @property
    def is_text(self) -> bool:
        """Mostly distinct, and neither numbers nor codes."""
        if not self.filled or len(self.values) < 0.5 * self.filled:
            return False
        codes = sum(is_number(value) or _CODE.fullmatch(value) is not None for value in self.values)
        return codes < 0.5 * len(self.values)

    @property
    def label_rank(self) -> int | None:
        """How much the column looks like labels, 0 the most; None: not at all.

        0 known words, or the numbers 0 (or 1) to k without a gap; 1 words; 2 anything else of few values; 3 one
        value only, as at the beginning of a sorted file.
        """
        few = max(2, min(0.5 * self.rows, 10 + 0.2 * self.rows))
        if self.filled < 0.9 * self.rows or not 0 < len(self.values) <= few or not all(map(_may_be_label, self.values)):
            return None
        return next(rank for rank, fits in _RANKS if fits(self.values))


def _may_be_label(value: str) -> bool:
    is_fraction = is_number(value) and not is_whole(value)
    return not is_fraction and len(value.encode("utf-8", "replace")) <= _LONGEST_LABEL


def _count_up(values: frozenset[str]) -> bool:
    if not all(map(is_whole, values)):
        return False
    numbers = {int(float(value)) for value in values}
    least, most = min(numbers), max(numbers)
    # Counted, not listed: between 0 and a time stamp lie more numbers than memory holds.
    return numbers == {-1, 1} or (least in (-1, 0, 1) and len(numbers) == most - least + 1)


_RANKS: tuple[tuple[int, Callable[[frozenset[str]], bool]], ...] = (
    (3, lambda values: len(values) == 1),
    (0, lambda values: all(value.lower() in _LABEL_WORDS for value in values) or _count_up(values)),
    (1, lambda values: not any(character.isdigit() for value in values for character in value)),
    (2, lambda _: True),
)
