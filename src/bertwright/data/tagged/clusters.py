"""What a reader takes for one character: letters with their marks, emoji of several code points."""

from __future__ import annotations

import unicodedata
from functools import cache

_JOINER = "\u200d"
_SELECTORS = range(0xFE00, 0xFE10)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)  # flags of regions
_REGIONAL = range(0x1F1E6, 0x1F200)


def is_inside_cluster(text: str, place: int, since: int = 0) -> bool:
    """Whether the code points before and at `place` belong to one character (after Unicode Annex 29, simplified).

    `since` is a place before it where a character begins: a run of flags is not looked at again from there back.
    """
    if not 0 < place < len(text):
        return False
    before, here = text[place - 1], text[place]
    code = ord(here)
    if code < 0x300 or ord(before) < 0x20:
        return before == "\r" and here == "\n"
    if _belongs_to_the_one_before(here):
        return not before.isspace()
    if before == _JOINER:
        return place > 1 and code > 0x2000 and unicodedata.category(text[place - 2]) in ("So", "Sk", "Mn", "Me")
    return code in _REGIONAL and _regionals_before(text, place, since) % 2 == 1


@cache
def _belongs_to_the_one_before(here: str) -> bool:
    code = ord(here)
    is_mark = unicodedata.category(here)[0] == "M" or here == _JOINER
    return is_mark or code in _SELECTORS or code in _SKIN_TONES or code in _TAGS


def _regionals_before(text: str, place: int, since: int) -> int:
    start = place
    while start > since and ord(text[start - 1]) in _REGIONAL:
        start -= 1
    return place - start
