"""`Table`: the examples of one source, with an account of how they were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bertwright.data.examples import Example, Where, places_listed
from bertwright.wording import quantity

EXAMPLES = "examples"  # the format of what somebody made `Example`s of before


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; None means: find out. A column without a name is called by its number from 1."""

    text: str | None = None
    label: str | None = None
    text_b: str | None = None
    target: str | None = None  # of texts that are to be written


@dataclass(frozen=True, slots=True)
class Table:
    """The examples of one source, and what was found out on the way.

    Attributes:
        examples: in the order of the source.
        source: its name.
        columns: the columns that were read; `label` and `text_b` are None where there are none.
        encoding: of the file; empty for rows that were in memory.
        empty: places of rows without text (of pairs: without either text), which give no example.
        undecided: places of rows whose label is `-`, the mark of annotators who did not agree; no example either.
        unlabelled: places of examples that have no label though the table has a column of labels.
        format: such as `CSV` or `pandas data frame`.
        header: whether the first row held names; None where the format itself names its columns, or none are.
        remarks: what else was decided by looking, such as what quotes mean.
    """

    examples: list[Example]
    source: str
    columns: Columns
    encoding: str = ""
    empty: tuple[Where, ...] = ()
    undecided: tuple[Where, ...] = ()
    unlabelled: tuple[Where, ...] = ()
    format: str = ""
    header: bool | None = None
    remarks: tuple[str, ...] = ()

    @property
    def is_pair(self) -> bool:
        """Whether every example has a second text."""
        return self.columns.text_b is not None

    def summary(self) -> str:
        """One calm line: what was read, what was inferred, what was left out and where."""
        encoding = f" ({self.encoding})" if self.encoding else ""
        examples = quantity(len(self.examples), "example")
        parts = [f"{self.source}{encoding}: {examples}, {describe(self.columns, self.header)}"]
        header = {True: " with a header", False: " without a header", None: ""}[self.header]
        parts += [f"{self.format}{header}"] if self.format else []
        parts += self.remarks
        for places, what in (
            (self.empty, "without text left out"),
            (self.undecided, "with the label '-' left out"),
            (self.unlabelled, "without a label"),
        ):
            if places:
                parts.append(f"{quantity(len(places), 'row')} {what}: {places_listed(places)}")
        return "; ".join(parts)


def given_examples(source: Any) -> list[Example]:
    """The `Example`s that a list or a tuple holds; empty where it holds anything else."""
    items = source if isinstance(source, (list, tuple)) else ()
    return list(items) if all(isinstance(item, Example) for item in items) else []


def describe(columns: Columns, header: bool | None) -> str:
    """`text from 'review', labels from 'stars'`; `column 3` where columns have no names."""

    def called(name: str | None) -> str:
        return f"column {name}" if header is False else f"'{name}'"

    if columns.text_b is not None:
        texts = f"pairs of texts from {called(columns.text)} and {called(columns.text_b)}"
    else:
        texts = f"text from {called(columns.text)}"
    if columns.target is not None:
        return f"{texts}, targets from {called(columns.target)}"
    return texts if columns.label is None else f"{texts}, labels from {called(columns.label)}"
