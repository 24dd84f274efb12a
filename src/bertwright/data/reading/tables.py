"""`Table`: the examples of one source, with an account of how they were found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bertwright.data.examples import Example, Where, places_listed
from bertwright.wording import quantity, said

EXAMPLES = "examples"  # the format of what somebody made `Example`s of before


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; None means: find out. A column without a name is called by its number from 1."""

    text: str | None = None
    label: str | None = None
    text_b: str | None = None
    target: str | None = None  # of texts that are to be written

    @classmethod
    def named(cls, columns: Columns | None, text: str | None, text_b: str | None, label: str | None) -> Columns | None:
        """`columns` with those that were named one by one laid over them; None where nobody named any."""
        given = {key: name for key, name in (("text", text), ("text_b", text_b), ("label", label)) if name is not None}
        return replace(columns or cls(), **given) if given else columns


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
        unused: names of columns that are not read.
        dropped: whether the rows without a label give no example, because somebody asked for that.
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
    unused: tuple[str, ...] = ()
    dropped: bool = False

    @property
    def is_pair(self) -> bool:
        """Whether every example has a second text."""
        return self.columns.text_b is not None

    def labelled_only(self) -> Table:
        """It without the rows that have no label, which stay counted."""
        if not self.unlabelled:
            return self
        return replace(self, examples=[one for one in self.examples if one.answer is not None], dropped=True)

    @property
    def has_lost(self) -> bool:
        """Whether there were rows that a person may expect among the examples, or labels that are missing."""
        return bool(self.empty or self.undecided or self.unlabelled)

    def summary(self) -> str:
        """One calm line: what was read, what was inferred, what was left out and where."""
        encoding = said(" ({encoding})", encoding=self.encoding) if self.encoding else ""
        examples = quantity(len(self.examples), "example")
        parts = [
            said(
                "{source}{encoding}: {examples}, {columns}",
                source=self.source, encoding=encoding, examples=examples, columns=describe(self.columns, self.header),
            )
        ]  # fmt: skip
        if self.format:
            form = said(self.format)
            forms = {True: "{form} with a header", False: "{form} without a header"}
            parts.append(form if self.header is None else said(forms[self.header], form=form))
        parts += self.remarks
        no_label = "{rows} without a label dropped: {places}" if self.dropped else "{rows} without a label: {places}"
        if self.columns.target:
            no_label = (
                "{rows} without a target dropped: {places}" if self.dropped else "{rows} without a target: {places}"
            )
        for places, what in (
            (self.empty, "{rows} without text left out: {places}"),
            (self.undecided, "{rows} with the label '-' left out: {places}"),
            (self.unlabelled, no_label),
        ):
            if places:
                parts.append(said(what, rows=quantity(len(places), "row"), places=places_listed(places)))
        return said("; ").join(parts)


def given_examples(source: Any) -> list[Example]:
    """The `Example`s that a list or a tuple holds; empty where it holds anything else."""
    items = source if isinstance(source, (list, tuple)) else ()
    return list(items) if all(isinstance(item, Example) for item in items) else []


def describe(columns: Columns, header: bool | None) -> str:
    """`text from 'review', labels from 'stars'`; `column 3` where columns have no names."""

    def called(name: str | None) -> str:
        return said("column {name}", name=name) if header is False else f"'{name}'"

    if columns.text_b is not None:
        first, second = called(columns.text), called(columns.text_b)
        texts = said("pairs of texts from {first} and {second}", first=first, second=second)
    else:
        texts = said("text from {column}", column=called(columns.text))
    if columns.target is not None:
        return said("{texts}, targets from {column}", texts=texts, column=called(columns.target))
    return (
        texts
        if columns.label is None
        else said("{texts}, labels from {column}", texts=texts, column=called(columns.label))
    )
