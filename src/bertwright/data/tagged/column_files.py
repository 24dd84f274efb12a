"""Column files: one token a line with its tag in the last column, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from bertwright.data.examples import Example, Span, Where, places_listed
from bertwright.data.tagged.numbered import (
    DOCUMENT,
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
from bertwright.text.lines import encoding_of, lines_of

_LINES_LOOKED_AT = 2000
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


def looks_like_columns(path: Path, encoding: str | None) -> bool:
    """Whether the beginning of a file is tokens with tags."""
    tagged, lines, outside = 0, 0, 0
    widths, last_fields = set(), set()
    encoding = encoding_of(path, encoding)
    columns = numbered(lines_of(path, encoding))
    if columns is not None and columns.is_clear:
        return True
    for number, line in enumerate(lines_of(path, encoding), start=1):
        if number > _LINES_LOOKED_AT:
            break
        fields = line.split()
        if not fields:
            continue
        lines += 1
        tag = fields[-1]
        outside += len(fields) > 1 and tag == OUTSIDE
        tagged += len(fields) > 1 and is_tag(tag)
        last_fields.add(tag)
        widths.add(len(fields))
    if lines < 2 or not outside:
        return False
    few_types = len(last_fields) <= 40 and outside > 0.3 * lines and len(widths) == 1  # types without letters
    return tagged > 0.8 * lines or few_types


def read_columns(path: Path, encoding: str | None) -> TaggedTexts:
    """The sentences of a column file, compressed or not. Fields are separated by tabs or by spaces.

    The first column has the tokens and the last one the tags, unless the first one has numbers (`numbered`,
    `number_column`).

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW242 a line without a tag; BW256 a
            line with another number than its place in the sentence; BW257 the tags stand in front; BW247 sentences of
            one token only; BW205 no sentence; and those of `to_examples`.
    """
    encoding = encoding_of(path, encoding)
    columns = numbered(lines_of(path, encoding))
    beside = None if columns else number_column(lines_of(path, encoding))
    sentences, unread = _sentences(path, encoding, columns, beside)
    if not sentences:
        raise BertwrightError("BW205", source=path)
    _check_order(sentences)
    if len(sentences) == sum(len(one.tokens) for one in sentences):
        raise BertwrightError("BW247", source=path, count=len(sentences))
    said = f"column 1 has {beside}, tokens are column 2" if beside else ""
    return replace(to_examples(sentences, str(path)), numbered=columns, unread=unread, beside=said)


def _check_order(sentences: Sequence[Sentence]) -> None:
    """Refuse a file that has the tags in front (BW257)."""
    some = sentences[:SENTENCES_LOOKED_AT]
    tokens = {token for one in some for token in one.tokens}
    tags = {tag for one in some for tag in one.tags}
    if OUTSIDE in tokens and all(map(is_tag, tokens)) and not all(map(is_tag, tags)):
        first = some[0]
        raise BertwrightError("BW257", where=first.places[0], tag=first.tokens[0], token=first.tags[0])


def _sentences(
    path: Path, encoding: str, columns: Numbered | None, beside: str | None = None
) -> tuple[list[Sentence], Unread]:
    sentences = [Sentence()]
    width = columns.width if columns else 0
    of_token, of_tag = (1, columns.tag) if columns else (int(beside is not None), -1)
    of_sentence: str | None = None  # the number of the sentence that is open, where the first column has it
    documents = comments = 0
    for number, line in enumerate(lines_of(path, encoding), start=1):
        where, sentence = Where(str(path), number), sentences[-1]
        line = line.strip("\r\n")
        fields = fields_of(line)
        # A document ends a sentence, too: not every file has blank lines around its mark.
        is_document = bool(fields) and fields[0].strip() == DOCUMENT
        if is_document or not line.strip():
            documents += is_document
            if sentence.tokens:
                sentences.append(Sentence())
            continue
        if columns and is_comment(line):
            comments += 1
            continue
        width = width or len(fields)
        if columns and fields[0].strip() != str(columns.first + len(sentence.tokens)):
            want = columns.first + len(sentence.tokens)
            raise BertwrightError("BW256", where=where, have=fields[0][:40], want=want)
        if len(fields) != width or width < 2 or not fields[of_tag].strip() or not fields[of_token].strip():
            raise BertwrightError("BW242", where=where, have=len(fields), want=max(width, 2), line=line[:40])
        if beside == SENTENCE_NUMBERS and fields[0] != of_sentence:
            of_sentence = fields[0]
            if sentence.tokens:
                sentence = Sentence()
                sentences.append(sentence)
        sentence.tokens.append(fields[of_token].strip())
        sentence.tags.append(fields[of_tag].strip())
        sentence.places.append(where)
    read = (0, of_token, of_tag % max(width, 1))
    unread = Unread(tuple(at + 1 for at in range(width) if at not in read), documents, comments)
    return [one for one in sentences if one.tokens], unread


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
    form = tag_form({tag for one in sentences for tag in one.tags})
    search = SchemeSearch()
    for one in sentences:
        one.tags = [form.usual.get(tag, tag) for tag in one.tags]
        search.add(one.tags, one.places)
    scheme = search.scheme(source)
    if between is None:
        between = space_between(one.tokens for one in sentences)
    known: dict[str, Tag] = {}
    examples: list[Example] = []
    repaired: list[Where] = []
    for one in sentences:
        tags = []
        for text, where in zip(one.tags, one.places):
            if text not in known:
                known[text] = _parse(text, scheme, where, known)
            tags.append(known[text])
        repaired += [one.places[place] for place in ill_formed(tags, scheme)]
        text, places = join(one.tokens, between)
        spans = tuple(
            Span(places[entity.start][0], places[entity.end - 1][1], entity.type) for entity in read_entities(tags)
        )
        examples.append(Example(text, None, one.places[0], spans=spans, tokens=np.array(places, dtype=np.int32)))
    blank = tuple(where for one in sentences for token, where in zip(one.tokens, one.places) if not token.strip())
    return TaggedTexts(examples, scheme, tuple(repaired), between, blank, remark=form.remark)


def _parse(text: str, scheme: Scheme, where: Where, known: dict[str, Tag]) -> Tag:
    tag = parse_tag(text, scheme)
    if tag is not None:
        return tag
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
        gap = between
        if not between and before and token and len(before) + len(token) > 2:
            left, right = before[-1], token[0]
            gap = " " if left.isascii() and right.isascii() and left.isalnum() and right.isalnum() else ""
        before = token or before
        if parts and gap:
            parts.append(gap)
            end += len(gap)
        parts.append(token)
        places.append((end, end + len(token)))
        end += len(token)
    return "".join(parts), places


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
