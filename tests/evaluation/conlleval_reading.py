"""How the script `conlleval` of the CoNLL shared tasks counts, written anew for the tests from its description.

A chunk ends before a token, and another begins at it, by the tables of the script's documentation: tags are a letter
and a type; a chunk ends where a B follows, where O follows, or where the type changes; it begins at a B, at an I after
O, and where the type changes. E and S (and `[`, `]` of older data) are treated as the script's second version does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

# (letter before, letter here) -> whether a chunk ends between them / begins at the second, whatever the types are.
_ENDS = {*("BB", "BO", "BS", "IB", "IO", "IS"), *("E" + letter for letter in "BIESO"), *("S" + x for x in "BIESO")}
_BEGINS = {*(x + "B" for x in "BIESO"), *(x + "S" for x in "BIESO"), "EE", "EI", "SE", "SI", "OE", "OI"}


def chunks(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The chunks of a sentence as `(start, end, type)`."""
    found, start = [], 0
    before, kind_before, is_open = "O", "", False
    for place, tag in enumerate([*tags, "O"]):
        letter, _, kind = tag.partition("-")
        changed = kind != kind_before
        if is_open and (before + letter in _ENDS or (before != "O" and changed)):
            found.append((start, place, kind_before))
            is_open = False
        if before + letter in _BEGINS or (letter != "O" and changed):
            start, is_open = place, True
        before, kind_before = letter, kind
    return found


def scores(gold: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]) -> tuple[Counter[str], ...]:
    """True, found and right chunks of all sentences by type, counted in one pass as the script does."""
    true: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for expected, given in zip(gold, answers):
        theirs, ours = chunks(expected), chunks(given)
        true.update(kind for _, _, kind in theirs)
        found.update(kind for _, _, kind in ours)
        right.update(one[2] for one in ours if one in theirs)
    return true, found, right
