"""Column files: one token a line with its tag in the last column, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Sequence

from bertwright.data.examples import Where
from bertwright.data.reading.example_sources import TAGGED_ENDINGS
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
from bertwright.data.tagged.schemes import OUTSIDE, SCHEMES, Scheme, is_tag
from bertwright.data.tagged.tagged_sentences import SENTENCES_LOOKED_AT, Sentence
from bertwright.errors import BertwrightError
from bertwright.text.lines import LONGEST_LINE, refuse_endless
from bertwright.wording import Phrase, quantity, said, shown

_LONGEST_SENTENCE = LONGEST_LINE >> 2  # characters; every token of it stands in memory with its tag and its place


def looks_like_columns(source: OpenedSource) -> bool:
    """Whether the beginning of a file is tokens with tags."""
    first = source.first_lines(LINES_LOOKED_AT)
    if source.suffix in TAGGED_ENDINGS and any(map(str.strip, first)):
        return True
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


def read_columns(source: OpenedSource) -> tuple[list[Sentence], tuple[str, ...]]:
    """The sentences of a column file, compressed or not, and what a person should know of it, a line each.

    Fields are separated by tabs or by spaces. The first column has the tokens and the last one the tags, unless the
    first one has numbers (`numbered`, `number_column`).

    Raises:
        BertwrightError: BW201 to BW203, BW234, BW235 the file and its encoding; BW242 a line without a tag; BW256 a
            line with another number than its place in the sentence; BW257 the tags stand in front; BW247 sentences of
            one token only; BW264 a table of texts; BW205 no sentence.
    """
    first = source.first_lines(LINES_LOOKED_AT)
    columns = numbered(first)
    collector = _Collector(columns, None if columns else number_column(first))
    for number, line in enumerate(source.lines(), start=1):
        collector.add(line.strip("\r\n"), Where(str(source), number))
    sentences = [one for one in collector.sentences if one.tokens]
    if not sentences:
        raise BertwrightError("BW205", source=source)
    _check_order(sentences)
    if len(sentences) == sum(len(one.tokens) for one in sentences):
        raise BertwrightError("BW247", source=source, count=len(sentences))
    return sentences, collector.remarks()


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
        self._columns, self._beside = columns, beside
        self._width = columns.width if columns else 0
        self._token, self._tag = (1, columns.tag) if columns else (int(beside is not None), -1)
        self._number: str | None = None  # of the sentence that is open, where the first column has it
        self._documents = self._comments = 0
        self._size = 0  # characters of the sentence that is open

    def add(self, line: str, where: Where) -> None:
        """A line without its end; raises BW242, BW256, BW264."""
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
            if self._beside == SENTENCE_NUMBERS and fields[0] != self._number:
                self._number = fields[0]
                self._end_sentence()
            sentence = self.sentences[-1]
            self._size += len(line)
            if self._size > _LONGEST_SENTENCE:
                refuse_endless([*sentence.places, where][0], Phrase("the sentence that begins here"), _LONGEST_SENTENCE)
            sentence.tokens.append(fields[self._token].strip())
            sentence.tags.append(fields[self._tag].strip())
            sentence.places.append(where)

    def _end_sentence(self) -> None:
        self._size = 0
        if self.sentences[-1].tokens:
            self.sentences.append(Sentence())

    def _check(self, fields: Sequence[str], line: str, where: Where) -> None:
        width = self._width = self._width or len(fields)
        if self._columns:
            want = self._columns.first + len(self.sentences[-1].tokens)
            if fields[0].strip() != str(want):
                raise BertwrightError("BW256", where=where, have=fields[0][:40], want=want)
        if width < 2 and "," in line and not self.sentences[0].tokens and not is_tag(line.rpartition(",")[2]):
            raise BertwrightError("BW264", where=where, line=line[:40])
        if len(fields) != width or width < 2 or not fields[self._tag].strip() or not fields[self._token].strip():
            raise BertwrightError("BW242", where=where, have=len(fields), want=max(width, 2), line=line[:40])

    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the columns and of what was passed over, a line each."""
        read = (0, self._token, self._tag % max(self._width, 1))
        numbers = [str(at + 1) for at in range(self._width) if at not in read]
        passed = (
            [said("columns {numbers}" if numbers[1:] else "column {numbers}", numbers=said(" and ").join(numbers))]
            if numbers
            else []
        )
        passed += [quantity(self._documents, "-DOCSTART- mark")] if self._documents else []
        passed += [quantity(self._comments, "comment")] if self._comments else []
        told = self._columns.remarks() if self._columns else ()
        if self._beside:
            told += (said("column 1 has {what}, tokens are column 2", what=said(self._beside)),)
        return (*told, said("not read: {listed}", listed=shown(passed))) if passed else told


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
