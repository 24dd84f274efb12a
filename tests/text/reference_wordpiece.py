"""WordPiece as the paper's authors describe it, read independently and slowly: the oracle of these tests.

Clean the text, let every Han character stand alone, split at white space, lower-case, take accents off, split at
punctuation; then cut each word, from its start, into the longest pieces that the vocabulary has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterator

LONGEST_WORD = 100
_ASCII_MARKS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_HAN_BLOCKS = (
    range(0x4E00, 0xA000),
    range(0x3400, 0x4DC0),
    range(0x20000, 0x2A6E0),
    range(0x2A700, 0x2B740),
    range(0x2B740, 0x2B820),
    range(0x2B820, 0x2CEB0),
    range(0xF900, 0xFB00),
    range(0x2F800, 0x2FA20),
)


def words(text: str, lower: bool = True, strip: bool | None = None) -> list[str]:
    """The words of `text`; accents go where `strip` says so, by default where text is lower-cased."""
    strip = lower if strip is None else strip
    found: list[str] = []
    for chunk in "".join(map(_cleaned, text)).split():
        if lower:
            chunk = chunk.lower()
        if strip:
            chunk = "".join(c for c in unicodedata.normalize("NFD", chunk) if unicodedata.category(c) != "Mn")
        found += _split_at_punctuation(chunk)
    return found


def pieces(word: str, vocabulary: Container[str], unknown: str = "[UNK]") -> list[str]:
    """The pieces of one word, or `[unknown]` where they do not cover it."""
    if len(word) > LONGEST_WORD:
        return [unknown]
    found: list[str] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        fitting = (end for end in range(len(word), start, -1) if prefix + word[start:end] in vocabulary)
        end = next(fitting, None)
        if end is None:
            return [unknown]
        found.append(prefix + word[start:end])
        start = end
    return found


def tokens(text: str, vocabulary: Container[str], lower: bool = True) -> list[str]:
    """The tokens of `text`, without special tokens around."""
    return [piece for word in words(text, lower) for piece in pieces(word, vocabulary)]


def _cleaned(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    if character == "\ufffd" or unicodedata.category(character).startswith("C"):
        return ""
    return f" {character} " if any(ord(character) in block for block in _HAN_BLOCKS) else character


def _split_at_punctuation(chunk: str) -> Iterator[str]:
    word = ""
    for character in chunk:
        if character in _ASCII_MARKS or unicodedata.category(character).startswith("P"):
            if word:
                yield word
            yield character
            word = ""
        else:
            word += character
    if word:
        yield word
