"""What a person should know about the classes of their data."""

from __future__ import annotations

from bertwright.data.answers import Marked
from bertwright.data.inspection.class_names import Classes, may_be_missing, one_class, places_of, several_labels
from bertwright.data.inspection.finding import Finding
from bertwright.data.inspection.repetition import overlap
from bertwright.data.reading.tables import Table
from bertwright.wording import quantity, said, shown

_IMBALANCE = 10  # the largest class to the smallest
_FEW = 10  # examples of a class


def of_classes(classes: Classes, table: Table, *, is_tagged: bool) -> list[Finding]:
    """Of the classes that a model is to learn."""
    rows = len(table.examples)
    if not classes and any(isinstance(one.answer, Marked) for one in table.examples):
        message = said(
            "train: nothing is marked in its {texts}: there is nothing to learn", texts=quantity(rows, "text")
        )
        return [Finding("no entity", "warning", message)]
    if not classes:
        return []
    if is_tagged:
        return one_class(classes, table)
    if len(classes) == 1:
        (label,) = classes
        message = said("train: every row has the label '{label}'; training refuses it", label=label)
        return [Finding("single class", "warning", message)]
    named = may_be_missing(classes, table) + one_class(classes, table)
    if several := several_labels(classes, table):
        return [several, *named]
    if len(classes) > max(20, rows // 2):
        count, column = len(classes), table.columns.label
        message = said(
            "train: {n} different labels in {rows} rows: '{column}' holds no classes", n=count, rows=rows, column=column
        )
        return [Finding("too many classes", "warning", message), *named]
    return named + _unequal(classes, table)


def of_both(classes: tuple[Classes, Classes], train: Table, dev: Table, *, is_tagged: bool) -> list[Finding]:
    """What train and dev are to each other; `classes` of both."""
    learnt, held = classes
    findings = []
    if unseen := _only_in(held, learnt):
        message = said(
            "dev: {n} classes that train has not ({listed}); training refuses them", n=len(unseen), listed=shown(unseen)
        )
        findings.append(Finding("unseen classes", "warning", message, places_of(set(unseen), dev)))
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
        findings.append(Finding("rare classes", "warning", message, places_of(rare, table)))
    return findings


def _only_in(one: Classes, other: Classes) -> list[str]:
    """The classes of one set that the other one lacks; none where that has no classes at all."""
    return [label for label in one if label not in other] if other else []
