"""What a person should know about the classes of their data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

from bertwright.data.answers import Marked
from bertwright.data.examples import Where, label_of
from bertwright.data.inspection.finding import Finding
from bertwright.data.inspection.repetition import overlap
from bertwright.data.reading.tables import Table
from bertwright.wording import quantity, said, shown

_IMBALANCE = 10  # the largest class to the smallest
_FEW = 10  # examples of a class
_DOUBTFUL = frozenset(("None", "NA", "na", "NONE", "#NULL!"))  # of which some are classes
_JOINED = re.compile(r"[|;,、，；/+]")  # what people put between several labels

Classes = Mapping[str, int]  # with how many rows each has, the largest first


def of_classes(classes: Classes, table: Table, *, is_tagged: bool) -> list[Finding]:
    """Of the classes that a model is to learn."""
    rows = len(table.examples)
    if not classes and any(isinstance(one.answer, Marked) for one in table.examples):
        message = said(
            "train: nothing is marked in its {texts}: there is nothing to learn", texts=quantity(rows, "text")
        )
        return [Finding("no entity", "warning", message)]
    if not classes or is_tagged:
        return []
    if len(classes) == 1:
        (label,) = classes
        message = said("train: every row has the label '{label}'; training refuses it", label=label)
        return [Finding("single class", "warning", message)]
    if several := _several_labels(classes, table):
        return [several]
    if len(classes) > max(20, rows // 2):
        count, column = len(classes), table.columns.label
        message = said(
            "train: {n} different labels in {rows} rows: '{column}' holds no classes", n=count, rows=rows, column=column
        )
        return [Finding("too many classes", "warning", message)]
    return _may_be_missing(classes, table) + _alike(classes, table) + _unequal(classes, table)


def of_both(classes: tuple[Classes, Classes], train: Table, dev: Table, *, is_tagged: bool) -> list[Finding]:
    """What train and dev are to each other; `classes` of both."""
    learnt, held = classes
    findings = []
    if unseen := _only_in(held, learnt):
        message = said(
            "dev: {n} classes that train has not ({listed}); training refuses them", n=len(unseen), listed=shown(unseen)
        )
        findings.append(Finding("unseen classes", "warning", message, _places_of(set(unseen), dev)))
    if is_tagged and not held:
        texts = quantity(len(dev.examples), "text")
        message = said("dev: nothing is marked in its {texts}: no score can be measured on it", texts=texts)
        findings.append(Finding("unmarked", "warning", message))
    if missing := _only_in(learnt, held):
        message = said("dev: {n} classes of train have no row ({listed})", n=len(missing), listed=shown(missing))
        findings.append(Finding("missing classes", "note", message))
    findings += overlap(train, dev)
    if train.is_pair != dev.is_pair:
        pairs, singles = ("train", "dev") if train.is_pair else ("dev", "train")
        message = said("{pairs} has pairs of texts, {singles} has single texts", pairs=pairs, singles=singles)
        findings.append(Finding("pairs", "warning", message))
    return findings


def _several_labels(classes: Classes, table: Table) -> Finding | None:
    """Whether names such as `sports|news` are several labels in one cell: some of their parts come again in others."""
    for sign in sorted({found for label in classes for found in _JOINED.findall(label)}):
        joined = [label for label in classes if sign in label]
        parts = [part.strip() for label in joined for part in label.split(sign)]
        again = [part for part in parts if part in classes or parts.count(part) > 1]
        # A bar stands in hardly any name: one class and its parts are enough.
        if sign == "|" and any(part in classes for part in parts):
            again = parts
        if (len(joined) >= 2 or sign == "|") and parts and all(parts) and len(again) >= 0.8 * len(parts):
            listed = shown((f"'{label}' {classes[label]}" for label in joined), 4)
            message = said(
                "train: {n} of {all} classes look like several labels joined by '{sign}' ({listed}); each is a class "
                "of its own here, and a model that gives a text several labels is not built yet",
                n=len(joined), all=len(classes), sign=sign, listed=listed,
            )  # fmt: skip
            return Finding("several labels", "warning", message, _places_of(joined, table))
    return None


def _unequal(classes: Classes, table: Table) -> list[Finding]:
    """Classes that have far fewer rows than others, or than are needed to learn them."""
    findings = []
    most, least = next(iter(classes)), list(classes)[-1]
    if classes[most] > _IMBALANCE * classes[least]:
        message = said(
            "train: '{most}' has {times:.0f} times as many rows as '{least}' ({many} to {few}); look at macro-F1, and "
            "try class_weight=balanced",
            most=most, least=least, times=classes[most] / classes[least], many=classes[most], few=classes[least],
        )  # fmt: skip
        findings.append(Finding("imbalance", "warning", message))
    rare = {label: count for label, count in classes.items() if count < _FEW}
    if rare:
        listed = shown(f"'{label}' {count}" for label, count in rare.items())
        message = said(
            "train: {n} of {all} classes have fewer than {few} rows ({listed})",
            n=len(rare), all=len(classes), few=_FEW, listed=listed,
        )  # fmt: skip
        findings.append(Finding("rare classes", "warning", message, _places_of(rare, table)))
    return findings


def _may_be_missing(classes: Classes, table: Table) -> list[Finding]:
    """Names that a program may have written where a label is missing."""
    if not (doubtful := [label for label in classes if label in _DOUBTFUL]):
        return []
    listed = shown(f"'{label}' {classes[label]}" for label in doubtful)
    message = said(
        "train: {listed} may stand for a missing label and is read as a class; leave such cells empty",
        listed=listed,
    )
    return [Finding("doubtful labels", "warning", message, _places_of(doubtful, table))]


def _alike(classes: Classes, table: Table) -> list[Finding]:
    """Labels that a person would take for one."""
    groups: dict[str, list[str]] = {}
    for label in classes:
        groups.setdefault(" ".join(unicodedata.normalize("NFKC", label).split()).casefold(), []).append(label)
    findings = []
    for group in groups.values():
        if len(group) > 1:
            listed = shown(f"'{label}' {classes[label]}" for label in group)
            message = said(
                "train: labels that differ only in case, width or spaces are classes of their own ({listed})",
                listed=listed,
            )
            findings.append(Finding("alike labels", "warning", message, _places_of(group[1:], table)))
    return findings


def _places_of(labels: Collection[str], table: Table) -> tuple[Where, ...]:
    """Where the examples of these classes are."""
    return tuple(example.where for example in table.examples if label_of(example) in labels)


def _only_in(one: Classes, other: Classes) -> list[str]:
    """The classes of one set that the other one lacks; none where that has no classes at all."""
    return [label for label in one if label not in other] if other else []
