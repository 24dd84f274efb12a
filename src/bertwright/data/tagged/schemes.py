"""Tag schemes: what sequences of tags say about entities, and how entities are said in tags.

Places are counted in tokens of a sentence: a `Span` here is `[start, end)` of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bertwright.data.answers import Span

Scheme = Literal["iob1", "bio", "bioes", "bmes", "bilou", "io"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
OUTSIDE = "O"

# The letters of each scheme, in the order: begin, inside, end, single.
_LETTERS: dict[Scheme, str] = {"iob1": "BI", "bio": "BI", "bioes": "BIES", "bmes": "BMES", "bilou": "BILU", "io": "I"}
_PLAIN = {"M": "I", "L": "E", "U": "S"}
_TAG = re.compile(r"([A-Z])[-_](.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag.

    Attributes:
        letter: `O`, or what the token is in its entity: `B` begin, `I` inside, `E` end, `S` single. The letters of
            other schemes become these.
        type: of the entity; empty for `O`.
    """

    letter: str
    type: str = ""


def parse_tag(tag: str, scheme: Scheme) -> Tag | None:
    """The tag that a scheme means by `tag`; None where it has no such tag."""
    if tag == OUTSIDE:
        return Tag(OUTSIDE)
    match = _TAG.fullmatch(tag)
    if match and match[1] in _LETTERS[scheme]:
        return Tag(_PLAIN.get(match[1], match[1]), match[2])
    if scheme == "io" and tag:
        return Tag("I", tag)
    return None


def is_tag(text: str) -> bool:
    """Whether `text` is `O`, or a letter of some scheme and a type."""
    return text == OUTSIDE or (_TAG.fullmatch(text) is not None and text[0] in "BIESMLU")


def spell_tag(tag: Tag, scheme: Scheme) -> str:
    """`B-PER`, in the letters of the scheme."""
    if tag.letter == OUTSIDE:
        return OUTSIDE
    if scheme == "io":
        return f"I-{tag.type}"
    there = {plain: letter for letter, plain in _PLAIN.items() if letter in _LETTERS[scheme]}
    return f"{there.get(tag.letter, tag.letter)}-{tag.type}"


def read_entities(tags: Sequence[Tag]) -> list[Span]:
    """The entities of a sentence as the script `conlleval` of the CoNLL shared tasks finds them.

    It takes every sequence: a change of type ends an entity and begins the next one, as does a tag that cannot
    follow the one before it.
    """
    found = []
    start: int | None = None
    before = Tag(OUTSIDE)
    for place, tag in enumerate([*tags, Tag(OUTSIDE)]):
        if start is not None and ends(before, tag):
            found.append(Span(start, place, before.type))
            start = None
        if start is None and tag.letter != OUTSIDE and begins(before, tag):
            start = place
        before = tag
    return found


def ends(before: Tag, tag: Tag) -> bool:
    """Whether the entity that `before` belongs to ends before `tag`."""
    return before.letter in "ES" or tag.letter in "BSO" or before.type != tag.type


def begins(before: Tag, tag: Tag) -> bool:
    """Whether an entity begins at `tag`, which is not `O`."""
    return tag.letter in "BS" or before.letter in "ESO" or before.type != tag.type


def read_strictly(tags: Sequence[Tag], scheme: Scheme) -> list[Span]:
    """Only the entities that are well formed: `B I*` in BIO, `S` or `B I* E` in BIOES and its kin.

    The schemes in which every sequence is well formed (IOB1, IO) are read as by `read_entities`.
    """
    if scheme in ("iob1", "io"):
        return read_entities(tags)
    # A tag that goes on with another type goes on with nothing.
    letters = "".join(
        OUTSIDE if tag.letter in "IE" and tag.type != before.type else tag.letter
        for before, tag in zip([Tag(OUTSIDE), *tags], tags)
    )
    form = "BI*" if scheme == "bio" else "BI*E|S"
    return [Span(*match.span(), tags[match.start()].type) for match in re.finditer(form, letters)]


def write_tags(entities: Iterable[Span], length: int, scheme: Scheme) -> list[Tag]:
    """The tags of a sentence of `length` tokens; entities must not overlap."""
    tags = [Tag(OUTSIDE)] * length
    ordered = sorted(entities, key=lambda one: one.start)
    type_ending_at = {one.end: one.type for one in ordered}
    for one in ordered:
        size, letters = one.end - one.start, "IIII"
        if scheme == "bio":
            letters = "BIIB"
        elif scheme == "iob1":
            letters = "BIIB" if type_ending_at.get(one.start) == one.type else "IIII"
        elif scheme != "io":
            letters = "BIES"
        marks = letters[3] if size == 1 else letters[0] + letters[1] * (size - 2) + letters[2]
        tags[one.start : one.end] = [Tag(mark, one.type) for mark in marks]
    return tags


def may_follow(before: Tag | None, tag: Tag | None, scheme: Scheme) -> bool:
    """Whether a well-formed sequence has `tag` after `before`; None is the beginning and the end of the sentence."""
    if scheme in ("iob1", "io"):
        return True
    left, right = before or Tag(OUTSIDE), tag or Tag(OUTSIDE)
    is_open = left.letter in "BI" and scheme != "bio"  # something must go on
    goes_on = right.letter in "IE"
    if goes_on:
        return left.letter in "BI" and left.type == right.type
    return not is_open


def ill_formed(tags: Sequence[Tag], scheme: Scheme) -> list[int]:
    """The places of the tags that cannot follow what stands before them, or (the last one) cannot end a sentence."""
    before: list[Tag | None] = [None, *tags]
    found = [place for place, tag in enumerate(tags) if not may_follow(before[place], tag, scheme)]
    return found if may_follow(before[-1], None, scheme) else [*found, len(tags) - 1]


def tag_set(types: Sequence[str], scheme: Scheme) -> list[str]:
    """Every tag of a scheme: `O` first, then type by type."""
    letters = {"bio": "BI", "iob1": "BI", "io": "I"}.get(scheme, "BIES")
    return [OUTSIDE, *(spell_tag(Tag(letter, one), scheme) for one in types for letter in letters)]
