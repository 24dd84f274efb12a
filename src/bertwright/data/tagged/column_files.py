"""Column files: one token a line with its tag in the last column, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

import numpy as np

from bertwright.data.answers import Marked, Span
from bertwright.data.examples import Example, Where, places_listed
from bertwright.data.reading.opened_source import OpenedSource
from bertwright.data.tagged.numbered import (
    DOCUMENT,
    LINES_LOOKED_AT,
    SENTENCE_NUMBERS,
    Numbered,
    fields_of,
    is_comment,
    number_column,
    numbered,
)
from bertwright.data.tagged.scheme_search import SchemeSearch
from bertwright.data.tagged.schemes import (
    OUTSIDE,
    SCHEMES,
    Scheme,
    Tag,
    ill_formed,
    is_tag,
    parse_tag,
    read_entities,
    tag_set,
)
from bertwright.data.tagged.tag_forms import tag_form
from bertwright.errors import BertwrightError, nearest, quantity, shown
from bertwright.text.han import count_han

SENTENCES_LOOKED_AT = 2000


@dataclass(slots=True)
class Sentence:
    """Tokens with their tags and lines, as the file has them."""

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    places: list[Where] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unread:
    """What of a column file is neither token nor tag: the other columns, from 1, and lines of these kinds."""

    columns: tuple[int, ...] = ()
    documents: int = 0
    comments: int = 0

    def remarks(self) -> tuple[str, ...]:
        """What a person should know, a line each."""
        numbers = [str(column) for column in self.columns]
        said = [f"column{'s' * (len(numbers) > 1)} {' and '.join(numbers)}"] if numbers else []
        said += [quantity(self.documents, f"{DOCUMENT} mark")] if self.documents else []
        said += [quantity(self.comments, "comment")] if self.comments else []
        return (f"not read: {', '.join(said)}",) if said else ()


@dataclass(frozen=True, slots=True)
class TaggedTexts:
    """What was read.

    Attributes:
        examples: with the entities as spans of characters.
        scheme: of the tags.
        repaired: places of tags that the scheme does not have in this order.
        joined: what stands between two tokens in the texts: a space, or nothing.
        blank: the place of each token that is empty or only white space.
        numbered: the columns of the file, where the first one counts.
        unread: what else the file has.
        remark: how the tags are written, where that is not the usual way.
        beside: what the first column has, where it is neither token nor `numbered`.
    """

    examples: list[Example]
    scheme: Scheme
    repaired: tuple[Where, ...]
    joined: str
    blank: tuple[Where, ...] = ()
    numbered: Numbered | None = None
    unread: Unread = Unread()
    remark: str = ""
    beside: str = ""

    def remarks(self) -> tuple[str, ...]:
        """What a person should know, a line each."""
        between = "a space" if self.joined else "nothing"
        remarks = [f"scheme {self.scheme.upper()}, tokens joined by {between}"]
        if self.repaired:
            tags = quantity(len(self.repaired), "ill-formed tag")
            remarks.append(f"{tags} read as conlleval does: {shown(self.repaired, 3)}")
        if self.blank:
            remarks.append(f"{quantity(len(self.blank), 'token')} without a character: {places_listed(self.blank)}")
        of_columns = (*(self.numbered.remarks() if self.numbered else ()), self.beside, *self.unread.remarks())
        return tuple(filter(None, (*of_columns, self.remark, *remarks)))


def looks_like_columns(source: OpenedSource) -> bool:
    """Whether the beginning of a file is tokens with tags."""
    first = source.first_lines(LINES_LOOKED_AT)
    columns = numbered(first)
    if columns is not None and columns.is_clear:
        return True
    rows = list(filter(None, map(str.split, first)))
    tags = [fields[-1] for fields in rows if len(fields) > 1]
    outside = tags.count(OUTSIDE)
    if len(rows) < 2 or not outside:
        return False
    return sum(map(is_tag, tags)) > 0.8 * len(rows) or (outside > 0.3 * len(rows) and _end_in_few_types(rows))


def _end_in_few_types(rows: Sequence[Sequence[str]]) -> bool:
    """Whether it may be types without letters that stand last."""
    return len(set(map(len, rows))) == 1 and len({fields[-1] for fields in rows}) <= 40


def read_columns(source: OpenedSource) -> TaggedTexts:
    """The sentences of a column file, compressed or not. Fields are separated by tabs or by spaces.

    The first column has the tokens and the last one the tags, unless the first one has numbers (`numbered`,
    `number_column`).

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW242 a line without a tag; BW256 a
            line with another number than its place in the sentence; BW257 the tags stand in front; BW247 sentences of
            one token only; BW205 no sentence; and those of `to_examples`.
    """
    first = source.first_lines(LINES_LOOKED_AT)
    columns = numbered(first)
    beside = None if columns else number_column(first)
    collector = _Collector(columns, beside)
    for number, line in enumerate(source.lines(), start=1):
        collector.add(line.strip("\r\n"), Where(str(source), number))
    sentences = [one for one in collector.sentences if one.tokens]
    if not sentences:
        raise BertwrightError("BW205", source=source)
    _check_order(sentences)
    if len(sentences) == sum(len(one.tokens) for one in sentences):
        raise BertwrightError("BW247", source=source, count=len(sentences))
    said = f"column 1 has {beside}, tokens are column 2" if beside else ""
    return replace(to_examples(sentences, str(source)), numbered=columns, unread=collector.unread(), beside=said)


def _check_order(sentences: Sequence[Sentence]) -> None:
    """Refuse a file that has the tags in front (BW257)."""
    some = sentences[:SENTENCES_LOOKED_AT]
    tokens = {token for one in some for token in one.tokens}
    tags = {tag for one in some for tag in one.tags}
    if OUTSIDE in tokens and all(map(is_tag, tokens)) and not all(map(is_tag, tags)):
        first = some[0]
        raise BertwrightError("BW257", where=first.places[0], tag=first.tokens[0], token=first.tags[0])


class _Collector:
    """The sentences of a file, line by line.

    Args:
        columns: of a file whose first column counts the tokens.
        beside: what else the first column has, where it is no tokens.
    """

    def __init__(self, columns: Numbered | None, beside: str | None) -> None:
        self.sentences = [Sentence()]
        self._columns, self._by_number = columns, beside == SENTENCE_NUMBERS
        self._width = columns.width if columns else 0
        self._token, self._tag = (1, columns.tag) if columns else (int(beside is not None), -1)
        self._number: str | None = None  # of the sentence that is open, where the first column has it
        self._documents = self._comments = 0

    def add(self, line: str, where: Where) -> None:
        """A line without its end; raises BW242, BW256."""
        fields = fields_of(line)
        if not line.strip():
            self._end_sentence()
        elif fields[0].strip() == DOCUMENT:  # ends a sentence, too: not every file has blank lines around its mark
            self._documents += 1
            self._end_sentence()
        elif self._columns and is_comment(line):
            self._comments += 1
        else:
            self._check(fields, line, where)
            if self._by_number and fields[0] != self._number:
                self._number = fields[0]
                self._end_sentence()
            sentence = self.sentences[-1]
            sentence.tokens.append(fields[self._token].strip())
            sentence.tags.append(fields[self._tag].strip())
            sentence.places.append(where)

    def _end_sentence(self) -> None:
        if self.sentences[-1].tokens:
            self.sentences.append(Sentence())

    def _check(self, fields: Sequence[str], line: str, where: Where) -> None:
        width = self._width = self._width or len(fields)
        if self._columns:
            want = self._columns.first + len(self.sentences[-1].tokens)
            if fields[0].strip() != str(want):
                raise BertwrightError("BW256", where=where, have=fields[0][:40], want=want)
        if len(fields) != width or width < 2 or not fields[self._tag].strip() or not fields[self._token].strip():
            raise BertwrightError("BW242", where=where, have=len(fields), want=max(width, 2), line=line[:40])

    def unread(self) -> Unread:
        """What was passed over."""
        read = (0, self._token, self._tag % max(self._width, 1))
        columns = tuple(at + 1 for at in range(self._width) if at not in read)
        return Unread(columns, self._documents, self._comments)


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
    raise BertwrightError("BW240", where=where, tag=text, scheme=scheme.upper(), nearest=f"({close}?)" if close else "")


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


def scheme_named(name: str) -> Scheme:
    """The scheme of that name, in any case.

    Raises:
        BertwrightError: BW120 there is none.
    """
    lowered = {"iob": "iob1", "iob2": "bio", "bilou": "bilou", "iobes": "bioes"}.get(name.lower(), name.lower())
    for scheme in SCHEMES:
        if scheme == lowered:
            return scheme
    raise BertwrightError("BW120", scheme=name, known=shown(SCHEMES))
