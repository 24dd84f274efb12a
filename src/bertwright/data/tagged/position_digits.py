"""Characters with their place in a word behind them, as corpora of microblogs have them: `科0 技1`.

Source: the form of the Weibo corpus of Peng and Dredze 2015, whose segmentation is told by these digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bertwright.data.examples import Where, places_listed
from bertwright.data.tagged.clusters import is_inside_cluster
from bertwright.data.tagged.tagged_sentences import Sentence
from bertwright.wording import quantity, said

_PLACED = re.compile(r"(.[^0-9]*?)(0|[1-9][0-9]?)")
_NEARLY_ALL = 0.98
_LOOKED_AT = 500  # sentences


def without_positions(sentences: Sequence[Sentence]) -> tuple[Sequence[Sentence], tuple[str, ...]]:
    """The sentences with their characters alone, where these have places behind them; what was done, a line each."""
    if not _have_positions(sentences):
        return sentences, ()
    left: list[Where] = []
    bare = [replace(one, tokens=[_bare(*pair, left) for pair in zip(one.tokens, one.places)]) for one in sentences]
    remarks = [said("digits behind the characters are their places in a word, and were taken off")]
    if left:
        tokens, places = quantity(len(left), "token"), places_listed(left)
        remarks.append(said("{tokens} without such a place left as they are: {places}", tokens=tokens, places=places))
    return bare, tuple(remarks)


def _have_positions(sentences: Sequence[Sentence]) -> bool:
    """Whether nearly every token is a character and a number that counts from 0 within each word."""
    tokens = counting = 0
    are_words = are_texts = False
    for one in [one for one in sentences if one.tokens][:_LOOKED_AT]:
        before = -1
        for character, place in map(_parted, one.tokens):
            tokens += 1
            counting += place in (0, before + 1) and character != ""
            are_words |= place > 0
            are_texts |= place >= 0 and not character.isdecimal()  # numbers alone count nothing
            before = place
    return are_words and are_texts and counting >= _NEARLY_ALL * tokens


def _parted(token: str) -> tuple[str, int]:
    """A character and its place; nothing and -1 for any other token."""
    match = _PLACED.fullmatch(token)
    if match is None or not all(is_inside_cluster(match[1], at) for at in range(1, len(match[1]))):
        return "", -1
    return match[1], int(match[2])


def _bare(token: str, where: Where, left: list[Where]) -> str:
    character, _ = _parted(token)
    if not character:
        left.append(where)
    return character or token
