"""Pieces of WordPiece back to a text as a person writes it.

The library's own joining puts a space on both sides of every mark and of every Han character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bertwright.text.tokenizer.token_table import CONTINUATION

_NO_SPACE_BEFORE = frozenset(",.!?;:%)]}’”»…°")
_NO_SPACE_AFTER = frozenset("([{‘“«$£¥€#")
_JOINS = frozenset("-/'_@&+")  # between two letters or digits these join
_BETWEEN_DIGITS = frozenset(".,:")
# Written without spaces: Han, kana, their marks, full-width forms.
_WITHOUT_SPACES = re.compile(
    r"[\u2e80-\u303f\u3040-\u30ff\u3100-\u312f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]|[\U00020000-\U0003ffff]"
)


def join_pieces(pieces: Sequence[str]) -> str:
    """The text of `pieces`: Han without spaces, marks where they belong, straight quotes by turns open and closed.

    Spaces and capitals of the source are not in the pieces, so that some choices are a guess: `2023 - 05` and
    `2023-05` have the same pieces, and the second is given back.
    """
    words = ["", "", *_words_of(pieces), ""]
    text, opened = "", False
    for two_before, before, word, after in zip(words, words[1:], words[2:], words[3:]):
        space = bool(text) and _stand_apart(before, word, after, two_before)
        if word == '"':
            opened = not opened
            space = space and opened
        elif before == '"' and opened:
            space = False
        text += " " + word if space else word
    return text


def _words_of(pieces: Sequence[str]) -> list[str]:
    words: list[str] = []
    for piece in pieces:
        if piece.startswith(CONTINUATION) and len(piece) > 2 and words:
            words[-1] += piece[2:]
        else:
            words.append(piece)
    return words


def _stand_apart(before: str, word: str, after: str, two_before: str) -> bool:
    """Whether a space stands between two words."""
    if _WITHOUT_SPACES.match(before[-1]) or _WITHOUT_SPACES.match(word[0]):
        return False
    if word in _NO_SPACE_BEFORE or before in _NO_SPACE_AFTER:
        return False
    return not (_joins(word, before, after) or _joins(before, two_before, word))


def _joins(mark: str, left: str, right: str) -> bool:
    """Whether `mark` makes one of the words on its sides."""
    if mark in _BETWEEN_DIGITS:
        return left[-1:].isdigit() and right[:1].isdigit()
    return mark in _JOINS and left[-1:].isalnum() and right[:1].isalnum()
