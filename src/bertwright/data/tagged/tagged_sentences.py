"""Tokens with tags to texts with spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

import numpy as np

from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where, places_listed
from bertwright.data.tagged.scheme_search import SchemeSearch
from bertwright.data.tagged.schemes import OUTSIDE, Scheme, Tag, ill_formed, parse_tag, read_entities, tag_set
from bertwright.data.tagged.tag_forms import tag_form
from bertwright.errors import BertwrightError, nearest
from bertwright.text.han import count_han
from bertwright.wording import quantity, said, shown

SENTENCES_LOOKED_AT = 2000


@dataclass(slots=True)
class Sentence:
    """Tokens with their tags and lines, as the file has them."""

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    places: list[Where] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TaggedTexts:
    """What was read.

    Attributes:
        examples: with the entities as spans of characters.
        scheme: of the tags.
        repaired: places of tags that the scheme does not have in this order.
        joined: what stands between two tokens in the texts: a space, or nothing.
        blank: the place of each token that is empty or only white space.
        remark: how the tags are written, where that is not the usual way.
    """

    examples: list[Example]
    scheme: Scheme
    repaired: tuple[Where, ...]
    joined: str
    blank: tuple[Where, ...] = ()
    remark: str = ""

    def remarks(self) -> tuple[str, ...]:
        """What a person should know, a line each."""
        joined = (
            "scheme {scheme}, tokens joined by a space" if self.joined else "scheme {scheme}, tokens joined by nothing"
        )
        remarks = [said(joined, scheme=self.scheme.upper())]
        if self.repaired:
            tags = quantity(len(self.repaired), "ill-formed tag")
            remarks.append(said("{tags} read as conlleval does: {places}", tags=tags, places=shown(self.repaired, 3)))
        if self.blank:
            tokens, places = quantity(len(self.blank), "token"), places_listed(self.blank)
            remarks.append(said("{tokens} without a character: {places}", tokens=tokens, places=places))
        return (self.remark, *remarks) if self.remark else tuple(remarks)


def space_between(sentences: Iterable[Sequence[str]]) -> str:
    """What stands between the tokens of a text: nothing in Chinese; decided by the first sentences."""
    looked_at = [token for one in islice(sentences, SENTENCES_LOOKED_AT) for token in one]
    han = sum(count_han(token) > 0 for token in looked_at)
    letters = sum(any(map(str.isalpha, token)) for token in looked_at)
    return "" if 2 * han > letters else " "


def to_examples(sentences: Sequence[Sentence], source: str, between: str | None = None) -> TaggedTexts:
    """Sentences as texts with spans.

    `between`: what stands between tokens, where that was found out already.

    Raises:
        BertwrightError: BW240 a tag outside the scheme, BW241 two schemes.
    """
    scheme, remark = _make_usual(sentences, source)
    between = space_between(one.tokens for one in sentences) if between is None else between
    known: dict[str, Tag] = {}
    examples: list[Example] = []
    repaired: list[Where] = []
    blank: list[Where] = []
    for one in sentences:
        tags = [known.get(text) or _parse(text, scheme, where, known) for text, where in zip(one.tags, one.places)]
        repaired += [one.places[place] for place in ill_formed(tags, scheme)]
        blank += [where for token, where in zip(one.tokens, one.places) if not token.strip()]
        examples.append(_example(one, tags, between))
    return TaggedTexts(examples, scheme, tuple(repaired), between, tuple(blank), remark=remark)


def _make_usual(sentences: Sequence[Sentence], source: str) -> tuple[Scheme, str]:
    """Write the tags as the schemes have them; which scheme it is, and how the tags were written."""
    form = tag_form(set(chain.from_iterable(one.tags for one in sentences)))
    search = SchemeSearch()
    for one in sentences:
        one.tags = [form.usual.get(tag, tag) for tag in one.tags]
        search.add(one.tags, one.places)
    return search.scheme(source), form.remark


def _example(sentence: Sentence, tags: Sequence[Tag], between: str) -> Example:
    text, places = join(sentence.tokens, between)
    spans = tuple(
        Span(places[entity.start][0], places[entity.end - 1][1], entity.type) for entity in read_entities(tags)
    )
    return Example(text, Marked(spans), sentence.places[0], tokens=np.array(places, dtype=np.int32))


def _parse(text: str, scheme: Scheme, where: Where, known: dict[str, Tag]) -> Tag:
    tag = parse_tag(text, scheme)
    if tag is not None:
        return known.setdefault(text, tag)
    types = {one.type for one in known.values() if one.type}
    close = nearest(text, [*tag_set(sorted(types), scheme), *known])
    raise BertwrightError(
        "BW240", where=where, tag=text, scheme=scheme.upper(), nearest=f"({close}?)" if close else "",
        tags=shown([*tag_set([min(types, default="PER")], scheme)[1:], OUTSIDE]),
    )  # fmt: skip


def join(tokens: Sequence[str], between: str) -> tuple[str, list[tuple[int, int]]]:
    """The text of a sentence, and the place `(start, end)` of each of its tokens.

    Without a space between tokens, words of letters and digits still get one, so that they stay apart.
    """
    parts: list[str] = []
    places = []
    end = 0
    before = ""  # the last token that is not empty
    for token in tokens:
        gap = between or _space_if_words(before, token)
        before = token or before
        if parts and gap:
            parts.append(gap)
            end += len(gap)
        parts.append(token)
        places.append((end, end + len(token)))
        end += len(token)
    return "".join(parts), places


def _space_if_words(before: str, token: str) -> str:
    meeting = before[-1:] + token[:1]
    is_inside = len(meeting) < 2 or len(before) + len(token) < 3 or not meeting.isascii() or not meeting.isalnum()
    return "" if is_inside else " "
