"""What the data says about a text: one small class for each kind of true answer.

A task that learns another kind brings a class of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bertwright.wording import said


@dataclass(frozen=True, slots=True)
class Span:
    """A part `[start, end)` of something, such as the characters `text[start:end]`, with its type."""

    start: int
    end: int
    type: str


class Answer(ABC):
    """The true answer to a text. Equal answers are equal as values, and can be keys.

    Attributes:
        noun: what it is called in a sentence about rows.
        of_row: whether the names that `classes` gives are of whole rows, or of parts of them.
        is_one_of_many: whether other answers to the same text may be right, too.
    """

    noun: ClassVar[str] = "answer"
    of_row: ClassVar[bool] = True
    is_one_of_many: ClassVar[bool] = False

    @abstractmethod
    def digest_parts(self) -> tuple[object, ...]:
        """What `digest_of` reads: plain values, equal for equal answers in every version."""

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """It as fields of a JSON object, under the name of its kind."""

    @abstractmethod
    def to_json(self, text: str) -> Any:
        """It as the JSON value that stands beside the answer of a model; `text` is the one that it is about."""

    def classes(self) -> tuple[str, ...]:
        """The names that are counted in a set of examples; none where there is nothing to count."""
        return ()

    def stratum(self) -> Hashable:
        """Of examples with the same one an equal share is held out."""
        return None

    def texts(self) -> tuple[str, ...]:
        """Texts of its own that a model reads or writes."""
        return ()

    def heading(self) -> str:
        """It in a few words behind `the first text`; empty where it does not fit there."""
        return ""

    def line(self) -> str:
        """It on a line of its own; empty where a heading says it."""
        return ""

    @classmethod
    def profile(cls, answers: Sequence[Any]) -> list[str]:
        """Sentences about all answers of a set, where their `classes` do not tell what a person wants to know."""
        return []


@dataclass(frozen=True, slots=True)
class Label(Answer):
    """One class.

    Attributes:
        name: of the class, as the user wrote it.
    """

    name: str

    noun: ClassVar[str] = "label"

    def digest_parts(self) -> tuple[object, ...]:
        return (self.name,)

    def fields(self) -> dict[str, Any]:
        return {"label": self.name}

    def to_json(self, text: str) -> str:
        return self.name

    def classes(self) -> tuple[str, ...]:
        return (self.name,)

    def stratum(self) -> Hashable:
        return self.name

    def heading(self) -> str:
        return said("labelled '{label}'", label=self.name)


@dataclass(frozen=True, slots=True)
class Marked(Answer):
    """Marked parts.

    Attributes:
        spans: counted in characters of the text; empty where nothing is marked.
    """

    spans: tuple[Span, ...]

    noun: ClassVar[str] = "set of marks"
    of_row: ClassVar[bool] = False

    def digest_parts(self) -> tuple[object, ...]:
        return (None, *((span.start, span.end, span.type) for span in self.spans))

    def fields(self) -> dict[str, Any]:
        return {"spans": [[span.start, span.end, span.type] for span in self.spans]}

    def to_json(self, text: str) -> list[dict[str, Any]]:
        return [span_json(text, span) for span in self.spans]

    def classes(self) -> tuple[str, ...]:
        return tuple(span.type for span in self.spans)

    def stratum(self) -> Hashable:
        return bool(self.spans)


@dataclass(frozen=True, slots=True)
class Written(Answer):
    """A text that is to be written.

    Attributes:
        target: the text.
    """

    target: str

    noun: ClassVar[str] = "target"
    is_one_of_many: ClassVar[bool] = True

    def digest_parts(self) -> tuple[object, ...]:
        return (None, self.target)

    def fields(self) -> dict[str, Any]:
        return {"target": self.target}

    def to_json(self, text: str) -> str:
        return self.target

    def texts(self) -> tuple[str, ...]:
        return (self.target,)

    def line(self) -> str:
        return said("to be written: {target}", target=self.target)


def span_json(text: str, span: Span) -> dict[str, Any]:
    """A marked part of `text` as a JSON object."""
    return {"start": span.start, "end": span.end, "type": span.type, "text": text[span.start : span.end]}
