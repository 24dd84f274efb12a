"""`Example`: what a task reads, and where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the user's data: a file and its line, or an item of a list."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Example:
    """One text with its label.

    Attributes:
        text: as the user wrote it.
        label: as the user wrote it; None where the data has none.
        where: its place in the data.
    """

    text: str
    label: str | None
    where: Where
    text_b: str | None = None


def digest_of(examples: Iterable[Example]) -> str:
    """SHA-256 of texts and labels in their order: equal for equal data, wherever it was read from."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(repr((example.text, example.text_b, example.label)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
