"""Labels as data has them to names of classes: what nobody agreed on, numbers that are classes, and fractions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bertwright.data.answers import Label
from bertwright.data.examples import Example, label_of
from bertwright.data.reading.columns.column_profile import is_number, is_whole
from bertwright.data.reading.tables import EXAMPLES, Table
from bertwright.errors import BertwrightError

NO_AGREEMENT = "-"  # what the makers of inference data write where the annotators did not agree


def with_classes(table: Table, *, labelled: bool, known: Collection[str] = ()) -> Table:
    """The table with classes for labels. What was `Example`s already, or has no labels, stays as it is.

    Examples labelled `-` are left out and counted, unless that is a class: one of `known`, the only one, or one beside
    `+`. `1.0` becomes `1`, if all labels are whole numbers, or `1` is in `known` and `1.0` is not: a data frame with
    one missing label turns all its numbers into fractions, and they mean the same classes.

    Args:
        table: as a reader made it.
        labelled: whether the labels are to be learnt or scored.
        known: the classes of a model that the labels are for: what is one of them means it, whatever it looks like.

    Raises:
        BertwrightError: BW223 labels that are fractions; they are looked for where there is no known class.
    """
    if table.columns.label is None or table.format == EXAMPLES:
        return table
    table = _decided(table, known)
    labels = {label for example in table.examples if (label := label_of(example)) is not None}
    if labelled and not known:
        _refuse_fractions(table, labels)
    return replace(table, examples=_renamed(table.examples, labels, known))


def _decided(table: Table, known: Collection[str]) -> Table:
    labels = set(map(label_of, table.examples))
    if NO_AGREEMENT not in labels or NO_AGREEMENT in known or "+" in labels or len(labels) == 1:
        return table
    undecided = tuple(example.where for example in table.examples if label_of(example) == NO_AGREEMENT)
    decided = [example for example in table.examples if label_of(example) != NO_AGREEMENT]
    return replace(table, examples=decided, undecided=undecided)


def _refuse_fractions(table: Table, labels: Collection[str]) -> None:
    """Numbers of which one is a fraction are no classes."""
    if not all(map(is_number, labels)):
        return
    for one in table.examples:
        label = label_of(one)
        if label is not None and not is_whole(label):
            column = table.columns.label
            raise BertwrightError("BW223", where=one.where, label=label, column=column, source=table.source)


def _renamed(examples: list[Example], labels: Collection[str], known: Collection[str]) -> list[Example]:
    names = {label: label.partition(".")[0] for label in labels if "." in label and is_whole(label)}
    if known:
        names = {label: names[label] for label in names.keys() - known if names[label] in known}
    elif not all(map(is_whole, labels)):
        names = {}
    return [replace(one, answer=Label(names[label])) if (label := label_of(one)) in names else one for one in examples]
