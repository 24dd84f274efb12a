"""Units: what a tagger gives a tag to, tokens, words or characters, with their places in the text.

Places are characters: `text[start:end]`. Shapes: W units of a text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bertwright.data.answers import Span
from bertwright.data.examples import Example, spans_of
from bertwright.data.tagged.clusters import is_inside_cluster
from bertwright.text.han import HAN, count_han, is_han

Unit = Literal["token", "word", "character"]

# Letters and digits that are written with spaces between words; then what joins them to tokens.
_CHAR, _LETTER = rf"[^\W_{HAN}]", rf"[^\W\d_{HAN}]"
_CLITIC = rf"['’](?:s|re|ve|ll|d|m)(?!{_CHAR})"
_TOKEN = re.compile(
    rf"(?:(?<!{_CHAR}){_LETTER}\.(?:{_LETTER}\.)*(?!{_CHAR})|{_CHAR}+)"  # J. U.S. or a word,
    rf"(?:(?:[-./&_@]|(?<=\d)[,:](?=\d)|(?!{_CLITIC})['’]){_CHAR}+)*"  # and more: AC/DC, 1,000, O'Brien, U.S.-led
    rf"|{_CLITIC}"
    r"|([^\w\s])\1+",  # -- or ...
    re.IGNORECASE,
)


def units_of(text: str, unit: Unit) -> NDArray[np.int64]:
    """`[W, 2]` places of the units of a text, in order; white space is in none.

    A character is what a reader takes for one. A word is a run of letters, digits and marks; a character that is
    written without spaces (Han), or that is no letter (punctuation, symbols) is a unit of its own. A token is a word
    with the punctuation in it, nearly as corpora for English have them: U.S., O'Brien, 1996-08-22, and 's by itself.
    """
    if unit == "token":
        return _joined(text, units_of(text, "word"))
    bounds: list[list[int]] = []
    is_open = False  # whether the last unit is a word that may go on
    for start, end in _characters(text):
        first = text[start]
        is_part = unit == "word" and not first.isspace() and _is_part_of_word(first)
        if is_part and is_open:
            bounds[-1][1] = end
        elif not first.isspace():
            bounds.append([start, end])
        is_open = is_part
    return np.array(bounds, dtype=np.int64).reshape(-1, 2)


def _characters(text: str) -> Iterator[tuple[int, int]]:
    """The places of what a reader takes for a character."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not is_inside_cluster(text, end, start):
            yield start, end
            start = end


def _joined(text: str, words: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tokens that words and punctuation make up."""
    begins = np.ones(len(words), dtype=np.bool_)
    for match in _TOKEN.finditer(text):
        if match[0].isalnum():
            continue
        if tokens := span_of_units(words, Span(*match.span(), "")):
            begins[tokens.start + 1 : tokens.end] = False
    ends = np.append(begins[1:], True)[: len(words)]
    return np.stack([words[begins, 0], words[ends, 1]], axis=1)


def _is_part_of_word(character: str) -> bool:
    if character < "\x80":
        return character.isalnum()
    category = unicodedata.category(character)
    if category == "Lo":
        return not is_han(character)
    return category[0] in "LNMC"


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
    """Characters where most entities hold Han, or where one in a hundred begins or ends within a word; words where one
    in a thousand does so within a token; else tokens.
    """
    han, cut, parted, total = 0, 0, 0, 0
    for example in examples:
        spans = spans_of(example)
        if not spans:
            continue
        words = units_of(example.text, "word")
        tokens = _joined(example.text, words)
        for span in spans:
            total += 1
            han += count_han(example.text[span.start : span.end]) > 0
            inner = trim(example.text, span)
            cut += span_of_units(words, inner) is None
            parted += span_of_units(tokens, inner) is None
    if 2 * han > total or 100 * cut > total:
        return "character"
    return "word" if 1000 * parted > total else "token"
