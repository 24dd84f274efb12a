"""Units: what a tagger gives a tag to, words or characters, with their places in the text.

Places are characters: `text[start:end]`. Shapes: W units of a text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bertwright.data.examples import Example, Span
from bertwright.data.spans.clusters import is_inside_cluster

Unit = Literal["word", "character"]


def units_of(text: str, unit: Unit) -> NDArray[np.int64]:
    """`[W, 2]` places of the units of a text, in order; white space is in none.

    A character is what a reader takes for one. A word is a run of letters, digits and marks; a character that is
    written without spaces (Han), or that is no letter (punctuation, symbols) is a unit of its own.
    """
    bounds: list[tuple[int, int]] = []
    start: int | None = None  # of the word that is open
    place = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and is_inside_cluster(text, end, place):
            continue
        first = text[place]
        if first.isspace():
            if start is not None:
                bounds.append((start, place))
            start = None
        elif unit == "word" and _is_part_of_word(first):
            start = place if start is None else start
        else:
            if start is not None:
                bounds.append((start, place))
            start = None
            bounds.append((place, end))
        place = end
    if start is not None:
        bounds.append((start, len(text)))
    return np.array(bounds, dtype=np.int64).reshape(-1, 2)


def _is_part_of_word(character: str) -> bool:
    if character < "\x80":
        return character.isalnum()
    category = unicodedata.category(character)
    if category == "Lo":
        return not is_han(character)
    return category[0] in "LNMC"


def is_han(character: str) -> bool:
    """Whether the character is one of those that BERT takes for a word of its own."""
    code = ord(character)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x2CEAF
        or 0x2F800 <= code <= 0x2FA1F
    )


def trim(text: str, span: Span) -> Span:
    """The span without white space at its ends, which is in no unit."""
    inside = text[span.start : span.end]
    start = span.start + len(inside) - len(inside.lstrip())
    return Span(start, max(start, span.end - len(inside) + len(inside.rstrip())), span.type)


def span_of_units(units: NDArray[np.int64], span: Span) -> Span | None:
    """`[first, last + 1)` of the units that make up a span of characters; None where it cuts one of them."""
    first = int(np.searchsorted(units[:, 0], span.start))
    end = int(np.searchsorted(units[:, 1], span.end)) + 1
    if first >= len(units) or end > len(units) or first >= end:
        return None
    if units[first, 0] != span.start or units[end - 1, 1] != span.end:
        return None
    return Span(first, end, span.type)


def unit_for(examples: Sequence[Example]) -> Unit:
    """Characters where most entities hold Han, or where one in a hundred begins or ends within a word; else words."""
    han, cut, total = 0, 0, 0
    for example in examples:
        if not example.spans:
            continue
        words = units_of(example.text, "word")
        for span in example.spans:
            total += 1
            han += any(map(is_han, example.text[span.start : span.end]))
            cut += span_of_units(words, trim(example.text, span)) is None
    return "character" if 2 * han > total or 100 * cut > total else "word"
