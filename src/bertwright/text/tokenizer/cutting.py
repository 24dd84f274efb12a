"""How many tokens of each text stay when an input is too long. The rules are those of `transformers`."""

from __future__ import annotations

from typing import Literal, get_args

from bertwright.errors import BertwrightError
from bertwright.wording import shown

Strategy = Literal["longest_first", "only_first", "only_second", "do_not_truncate"]


def strategy_of(truncation: bool | str | None, *, by_default: bool = False) -> Strategy:
    """The strategy that a `truncation` argument names; `True` is `longest_first`, and `None` is `by_default`.

    Raises:
        BertwrightError: BW411 for any other name.
    """
    if truncation is None:
        truncation = by_default
    if truncation is True:
        return "longest_first"
    if truncation is False:
        return "do_not_truncate"
    for known in get_args(Strategy):
        if truncation == known:
            return known  # type: ignore[no-any-return]
    raise BertwrightError("BW411", option="truncation", value=truncation, known=shown(get_args(Strategy)))


def kept_lengths(first: int, second: int | None, room: int, strategy: Strategy) -> tuple[int, int] | None:
    """How many tokens stay of a text of `first` tokens and of its pair of `second`, cut at their ends.

    Args:
        first: tokens of the first text, without special tokens.
        second: tokens of the second text; `None` where there is none.
        room: how many tokens the two may have together.
        strategy: which of the two gives way.

    Returns:
        The two lengths, or `None` where the text that is to give way would lose all its tokens, or is not there.
    """
    other = second or 0
    if strategy == "do_not_truncate" or first + other <= room:
        return first, other
    if room == 0:
        return 0, 0
    if strategy == "longest_first":
        return _kept_of_longer(first, other, room)
    if strategy == "only_first" and room > other:
        return room - other, other
    if strategy == "only_second" and room > first:
        return first, room - first
    return None


def _kept_of_longer(first: int, second: int, room: int) -> tuple[int, int]:
    """The shorter text stays whole if it fits into half of the room; else the two share it.

    The odd token goes to the longer text, and to the second one where they are equally long.
    """
    short = min(first, second, room // 2)
    return (short, room - short) if first <= second else (room - short, short)
