"""`Example`: what a task reads, and where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the user's data: a file and its line, or an item of a list."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


def places_listed(places: Sequence[Where], earlier: Sequence[Where] = (), limit: int = 3) -> str:
    """`train.csv:4 (see line 2), line 9 (see line 5), … (+7)`: long paths are written once.

    `earlier` holds, for each place, the one that it points to; empty where there is none.
    """
    listed = []
    for index, place in enumerate(places):
        known = index > 0 and place.source == places[0].source
        text = f"line {place.line}" if known else str(place)
        if earlier:
            first = earlier[index]
            if first.source == place.source:
                text += f" (see line {first.line})"
            elif known and first.source == earlier[0].source:
                text += f" (see line {first.line} there)"
            else:
                text += f" (see {first})"
        listed.append(text)
        if index == limit:
            break
    more = len(places) - limit
    return ", ".join(listed[:limit]) + (f", … (+{more})" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Span:
    """A part `[start, end)` of something, such as the characters `text[start:end]`, with its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its label.

    Attributes:
        text: as the user wrote it.
        label: as the user wrote it; None where the data has none.
        where: its place in the data.
        text_b: the second text of a pair.
        spans: the marked parts of `text`, counted in characters; None where the data does not mark any.
        target: the text that is to be written for it; None where the data has none.
        tokens: `[N, 2]` places of the tokens that the data cut the text into; None where it did not. Whoever writes the
            example again keeps them; no model looks at them.
    """

    text: str
    label: str | None
    where: Where
    text_b: str | None = None
    spans: tuple[Span, ...] | None = None
    target: str | None = None
    tokens: NDArray[np.int32] | None = field(default=None, compare=False, repr=False)

    @property
    def answer(self) -> str | tuple[Span, ...] | None:
        """What the data says about the text: its label, its spans, or its target; None where it says nothing."""
        if self.target is not None:
            return self.target
        return self.label if self.spans is None else self.spans


def digest_of(examples: Iterable[Example]) -> str:
    """SHA-256 of texts, labels, spans and targets in their order: equal for equal data, wherever it was read from."""
    digest = hashlib.sha256()
    for example in examples:
        parts: tuple[object, ...] = (example.text, example.text_b, example.label)
        if example.spans is not None:
            parts += tuple((span.start, span.end, span.type) for span in example.spans)
        if example.target is not None:
            parts += (example.target,)
        digest.update(repr(parts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
