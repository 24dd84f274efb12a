"""Where sentences end, in Chinese and in English, mixed as people mix them.

Chinese: 。！？；｡ and …… end a sentence, with the quotes and brackets that close after them; ! and ? do where a Han
character follows. English: . ! ? and … do, with what closes after them, where white space and then anything but a
small letter follows; a full stop does not after a title, an initial or another abbreviation, nor after the number
that begins a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bertwright.text.han import is_han

_CLOSERS = "\"'”’」』）》】〉〕)\\]»"
_MARKS = re.compile(rf"([.!?…。！？；｡]+)[{_CLOSERS}]*")
_CONTENT = re.compile(r"[^\W_]")
_CHINESE = re.compile(r"[。！？；｡]|……")
_STRAIGHT = "\"'"
_LONGEST_ABBREVIATION = 12
# What a sentence begins with hardly ever stands after an abbreviation that belongs to the words behind it.
_OPENERS = frozenset(
    (
        *("A", "After", "All", "Although", "An", "And", "As", "At", "But", "By", "During", "For", "From", "He", "Her"),
        *("His", "However", "I", "If", "In", "It", "Its", "Many", "Most", "My", "No", "On", "One", "Our", "She"),
        *("Since", "So", "Some", "That", "The", "Their", "Then", "There", "These", "They", "This", "Those", "Though"),
        *("Thus", "Under", "We", "What", "When", "Where", "While", "Who", "With", "Yet", "You"),
    )
)
# A name, a number or more of the same sentence follows these, whatever it begins with.
_NEVER_LAST = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "rev", "hon", "st", "ste", "mt", "ft", "gen", "col", "maj", "capt", "cmdr"),
        *("lt", "sgt", "cpl", "adm", "gov", "pres", "sen", "rep", "supt", "messrs", "mme", "mlle", "mgr", "fr"),
        *("vs", "v", "cf", "viz", "eg", "ie", "approx", "ca", "c"),
    )
)
# These may end a sentence: what follows decides.
_MAYBE_LAST = frozenset(
    (
        *("etc", "inc", "ltd", "co", "corp", "bros", "jr", "sr", "dept", "univ", "est", "al", "ed", "eds", "trans"),
        *("cit", "ibid", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon"),
        *("tue", "wed", "thu", "fri", "sat", "sun", "ave", "blvd", "rd", "ph.d", "phd"),
    )
)
# A number follows these.
_BEFORE_NUMBER = frozenset(
    ("no", "nos", "vol", "vols", "fig", "figs", "pp", "p", "ch", "chap", "sec", "art", "eq", "nr", "op")
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_NEXT = re.compile(r"\s+[\"'“‘«(\[「『（《]*(\w+|\S)?")
_NO_PART_OF_A_WORD = re.compile(r"[\s(\[\"'“‘«/—–-]")


def split_sentences(text: str) -> list[str]:
    """The sentences of `text` in order, without the white space around them.

    Each has a letter or a digit, unless the whole text has none: marks alone go with the sentence before.
    """
    places: list[tuple[int, int]] = []
    begin = 0
    for end in (*_ends_of_sentences(text), len(text)):
        sentence = text[begin:end].strip()
        if sentence and places and not _CONTENT.search(sentence):
            places[-1] = places[-1][0], end
        elif sentence:
            places.append((begin, end))
        begin = end
    return [text[begin:end].strip() for begin, end in places]


def _ends_of_sentences(text: str) -> Iterator[int]:
    begin = 0
    for match in _MARKS.finditer(text):
        end = match.end()
        following = text[end : end + 1]
        if following.isspace():
            if not (_CHINESE.search(match[1]) or _ends(text, begin, match)):
                continue
        elif _CHINESE.search(match[1]) or (match[1] != "." and is_han(following)):
            end = _without_opening_quote(text, begin, match.end(1), end)
        else:
            continue
        yield end
        begin = end


def _without_opening_quote(text: str, begin: int, mark: int, end: int) -> int:
    """Behind 。 a straight quote closes only if an odd number of them stands before; else it opens what follows."""
    for place in range(mark, end):
        if text[place] in _STRAIGHT and text.count(text[place], begin, place) % 2 == 0:
            return place
    return end


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    """Whether a sentence that begins at `begin` ends with this mark of English, which white space follows."""
    following = _NEXT.match(text, match.end())
    word = following[1] if following else None
    if word is None:
        return True
    if word[0].islower():
        return False
    if match[0] != ".":
        return True
    last = _NO_PART_OF_A_WORD.split(text[max(begin, match.start() - _LONGEST_ABBREVIATION) : match.start()])[-1]
    lowered = last.lower()
    if lowered in _NEVER_LAST:
        return False
    if lowered in _BEFORE_NUMBER:
        return not word[0].isdigit()
    if lowered in _MAYBE_LAST or _INITIALS.fullmatch(last):
        return word in _OPENERS
    return not (last.isdigit() and not text[begin : match.start() - len(last)].strip())  # "3. Results"
