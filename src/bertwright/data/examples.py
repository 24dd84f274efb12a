"""`Example`: what a task reads, and where it came from."""

from __future__ import annotations

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
