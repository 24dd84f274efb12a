"""Which tokens of each text stay when an input is too long. The rules are those of `transformers`."""

from __future__ import annotations

from typing import Literal, get_args

from bertwright.errors import BertwrightError
from bertwright.wording import shown

# A part of the tokens of a text: where it begins, and where what follows it begins.
Part = tuple[int, int]
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


def first_part(length: int, kept: int, at_beginning: bool) -> Part:
    """The part of a text of `length` tokens that stays where it is cut to `kept` at its end, or `at_beginning`."""
    return (length - kept, length) if at_beginning else (0, kept)


def all_parts(length: int, kept: int, stride: int, at_beginning: bool) -> list[Part]:
    """A text of `length` tokens in parts of at most `kept`, each sharing `stride` tokens with the one before.

    The first of them is `first_part`; the last one may be shorter.

    Raises:
        BertwrightError: BW441 where `stride` leaves no room for a new token.
    """
    if kept >= length:
        return [(0, length)]
    check_stride(stride, kept)
    # The last part is the first one that reaches the end of the text.
    begins = range(0, length - stride, kept - stride)
    parts = [(begin, min(begin + kept, length)) for begin in begins]
    return [(length - end, length - begin) for begin, end in parts] if at_beginning else parts


def check_stride(stride: int, room: int) -> None:
    """Refuse a `stride` that leaves no room for a new token in parts of `room` tokens.

    Raises:
        BertwrightError: BW441.
    """
    if not 0 <= stride < room:
        raise BertwrightError("BW441", stride=stride, room=room)


def combined(firsts: list[Part], seconds: list[Part]) -> list[tuple[Part, Part]]:
    """Each part of a text beside each of its pair: the first ones of both, then in the order of `transformers`."""
    first, *others = firsts
    beside_first = [(first, second) for second in seconds]
    return beside_first[:1] + [(one, second) for one in others for second in seconds] + beside_first[1:]
