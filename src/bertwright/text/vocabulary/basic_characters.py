"""The characters that belong in a vocabulary whether or not its corpus has them: a model meets them in use.

Novels have few digits and hardly a `$` or a `#`; a vocabulary made from them alone would read "1920s" and "19th" as
unknown for ever.
"""

from __future__ import annotations

import functools
import string
import unicodedata

# Marks of both languages beyond ASCII: what stands in printed and in typed texts.
_MARKS = "，。！？、；：…—–－“”‘’（）［］《》〈〉「」『』【】〔〕·•～￥€£°％＋×÷＝"


def basic_characters(cased: bool) -> tuple[list[str], list[str]]:
    """Those that are tokens, and those that go on within words, the most needed first: digits, letters, marks.

    Marks end words, so that none of them goes on within one.
    """
    letters = string.ascii_letters if cased else string.ascii_lowercase
    within = [*string.digits, *letters]
    return [*within, *string.punctuation, *_MARKS], within


@functools.cache
def common_han() -> frozenset[str]:
    """The 3,755 Han characters of the first level of GB/T 2312, nearly all of what modern Chinese is written with."""
    rows = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    found = (pair.decode("gb2312", errors="ignore") for pair in rows)
    return frozenset(one for one in found if one and unicodedata.category(one) == "Lo")
