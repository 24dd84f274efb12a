"""Characters with their place in a word behind them, as corpora of microblogs have them: `科0 技1`.

Source: the form of the Weibo corpus of Peng and Dredze 2015, whose segmentation is told by these digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bertwright.data.tagged.tagged_sentences import Sentence

_PLACED = re.compile(r"(\D)(\d)")
_NEARLY_ALL = 0.98
_LOOKED_AT = 500  # sentences


def have_positions(sentences: Sequence[Sentence]) -> bool:
    """Whether every token is a character and a digit that counts from 0 within each word."""
    tokens = counting = 0
    found = [[_PLACED.fullmatch(token) for token in one.tokens] for one in sentences[:_LOOKED_AT] if one.tokens]
    for matches in found:
        before = -1
        for match in matches:
            tokens += 1
            place = int(match[2]) if match else -1
            counting += match is not None and place in (0, before + 1)
            before = place
    return tokens >= 2 and counting >= _NEARLY_ALL * tokens and any(m and m[2] != "0" for one in found for m in one)


def without_positions(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences with their characters alone."""
    return [replace(one, tokens=[_bare(token) for token in one.tokens]) for one in sentences]


def _bare(token: str) -> str:
    match = _PLACED.fullmatch(token)
    return match[1] if match else token
