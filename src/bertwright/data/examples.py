"""`Example`: what a task reads, and where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.data.answers import Answer, Label, Marked, Span, Written
from bertwright.errors import BertwrightError
from bertwright.text.tokenizer.inputs import half_of_a_pair
from bertwright.wording import Phrase, language, said

_NO_FILES = {  # what a text that was typed or passed is said to come from, and its place in words
    "arguments": "arguments:{n}", "stdin": "stdin:{n}", "input": "input:{n}", "texts": "texts:{n}", "data": "data:{n}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the user's data: a file and its line, or an item of a list."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"

    def within(self, lang: str) -> str:
        """It in a message of `lang`: what was typed or passed has no file whose name would say it."""
        phrase = _NO_FILES.get(self.source)
        return str(self) if phrase is None else Phrase(phrase, n=self.line).within(lang)


def places_listed(places: Sequence[Where], earlier: Sequence[Where] = (), limit: int = 3) -> str:
    """`train.csv:4 (see line 2), line 9 (see line 5), … (+7)`: long paths are written once.

    `earlier` holds, for each place, the one that it points to; empty where there is none.
    """
    listed = []
    for index, place in enumerate(places):
        known = index > 0 and place.source == places[0].source
        text = said("line {line}", line=place.line) if known else place.within(language())
        if earlier:
            first = earlier[index]
            if first.source == place.source:
                text += said(" (see line {line})", line=first.line)
            elif known and first.source == earlier[0].source:
                text += said(" (see line {line} there)", line=first.line)
            else:
                text += said(" (see {place})", place=first)
        listed.append(text)
        if index == limit:
            break
    more = len(places) - limit
    return said(", ").join(listed[:limit]) + (said(", … (+{n})", n=more) if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Example:
    """One text with what the data says about it.

    Attributes:
        text: as the user wrote it.
        answer: the true answer; None where the data has none.
        where: its place in the data.
        text_b: the second text of a pair.
        tokens: `[N, 2]` places of the tokens that the data cut the text into; None where it did not. Whoever writes the
            example again keeps them; no model looks at them.
        beside: the other fields of its row, by their names, where answers are to stand beside them.
    """

    text: str
    answer: Answer | None
    where: Where
    text_b: str | None = None
    tokens: NDArray[np.int32] | None = field(default=None, compare=False, repr=False)
    beside: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


def label_of(example: Example) -> str | None:
    """The class of an example; None where it has none."""
    return example.answer.name if isinstance(example.answer, Label) else None


def spans_of(example: Example) -> tuple[Span, ...] | None:
    """The marked parts of an example; None where the data does not mark any."""
    return example.answer.spans if isinstance(example.answer, Marked) else None


def target_of(example: Example) -> str | None:
    """The text that is to be written for an example; None where it has none."""
    return example.answer.target if isinstance(example.answer, Written) else None


def digest_of(examples: Iterable[Example]) -> str:
    """SHA-256 of texts and answers in their order: equal for equal data, wherever it was read from."""
    digest = hashlib.sha256()
    for example in examples:
        answer = (None,) if example.answer is None else example.answer.digest_parts()
        digest.update(repr((example.text, example.text_b, *answer)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@contextmanager
def half_pairs_placed(examples: Sequence[Example]) -> Iterator[None]:
    """The tokenizer knows its own inputs only: where it finds half of a surrogate pair, which no encoding can write,
    the example is named in its place.

    Raises:
        BertwrightError: BW406 with file and line.
    """
    try:
        yield
    except BertwrightError as error:
        if error.code == "BW406":
            for example in examples:
                for text in (example.text, example.text_b, *(example.answer.texts() if example.answer else ())):
                    if text and (found := half_of_a_pair(text, example.where)):
                        raise found from error
        raise
