"""Digits and letters of double width, which Chinese keyboards write, as those that every vocabulary has.

One character becomes one character, so that offsets stay. Marks such as `，` are left: they are tokens of their own.
"""

from __future__ import annotations

import string

_SHIFT = 0xFEE0  # from ASCII to its form of double width
_NARROW = {ord(one) + _SHIFT: one for one in string.digits + string.ascii_letters}


def narrowed(text: str) -> str:
    """`text`, as long as before, with the digits and letters of double width as those of ASCII."""
    return text if text.isascii() else text.translate(_NARROW)
