"""Han characters: those that a BERT takes for words of their own (Devlin et al. 2018, code of the tokenizer)."""

from __future__ import annotations

import re

# For a class of a pattern.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f"
_HAN = re.compile(f"[{HAN}]")


def is_han(character: str) -> bool:
    """Whether it is one."""
    return _HAN.match(character) is not None


def count_han(text: str) -> int:
    """How many of its characters are."""
    return len(_HAN.findall(text))
