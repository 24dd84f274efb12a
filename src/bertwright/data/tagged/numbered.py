"""Column files whose first column counts the tokens of each sentence, as GermEval and the kin of CoNLL-U have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from bertwright.data.tagged.schemes import OUTSIDE, is_tag
from bertwright.wording import said

LINES_LOOKED_AT = 2000
_COMMENT = "#"
DOCUMENT = "-DOCSTART-"
SENTENCE_NUMBERS, RUNNING_NUMBERS = "the numbers of sentences", "running numbers"


@dataclass(frozen=True, slots=True)
class Numbered:
    """What the columns of such a file are.

    Attributes:
        first: the number of the first token of a sentence, 0 or 1.
        width: the number of columns.
        tag: which of them has the tags, from 0: the first one in which all are tags (a second one has the entities
            within entities), else the last one.
        is_clear: whether all are tags there.
    """

    first: int
    width: int
    tag: int
    is_clear: bool

    def remarks(self) -> tuple[str, ...]:
        """What a person should know, a line each."""
        return (said("column 1 counts the tokens, these are column 2, tags are column {tag}", tag=self.tag + 1),)


def fields_of(line: str) -> list[str]:
    """The fields of a line: separated by tabs where it has some, else by white space."""
    return line.split("\t") if "\t" in line else line.split()


def is_comment(line: str) -> bool:
    """Whether a line of a numbered file is none of its tokens."""
    return line.startswith(_COMMENT)


def numbered(lines: Iterable[str]) -> Numbered | None:
    """How the lines at the beginning of a file are numbered; None where they are not."""
    sentences = _sentences_of(lines)
    try:
        columns = list(zip(*chain.from_iterable(sentences), strict=True))
    except ValueError:  # lines of several widths
        return None
    if len(columns) < 3 or max(map(len, sentences)) < 2:
        return None
    first = int(columns[0][0] != "0")
    if list(columns[0]) != [str(first + at) for sentence in sentences for at in range(len(sentence))]:
        return None
    tags = [at for at in range(2, len(columns)) if OUTSIDE in columns[at] and all(map(is_tag, columns[at]))]
    return Numbered(first, len(columns), (*tags, len(columns) - 1)[0], bool(tags))


def _sentences_of(lines: Iterable[str]) -> list[list[list[str]]]:
    """The fields of each line of each sentence, without comments; some sentences are empty."""
    sentences: list[list[list[str]]] = [[]]
    for line in lines:
        fields = [field.strip() for field in fields_of(line.strip("\r\n"))]
        if not any(fields) or fields[0] == DOCUMENT:
            sentences.append([])
        elif not is_comment(line):
            sentences[-1].append(fields)
    return sentences


def number_column(lines: Iterable[str]) -> str | None:
    """What the numbers are that stand before token and tag; None where the first column has anything else.

    Numbers of sentences come twice in a row; who has them may leave out the blank lines.
    """
    before, again, seen = "", False, False
    for line in lines:
        fields = [field.strip() for field in fields_of(line.strip("\r\n"))]
        if not any(fields) or fields[0] == DOCUMENT:
            continue
        if len(fields) < 3 or not fields[0].isdecimal():
            return None
        again |= fields[0] == before
        before, seen = fields[0], True
    if not seen:
        return None
    return SENTENCE_NUMBERS if again else RUNNING_NUMBERS
