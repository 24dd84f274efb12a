"""Rows that say the same as another row, or the contrary. Time is linear in the characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.data.inspection.finding import Finding, Severity
from bertwright.data.reading.tables import Table
from bertwright.wording import quantity, said

Key = tuple[str, str | None]  # both texts of an example


def repetitions(table: Table, name: str) -> list[Finding]:
    """Rows of one table that repeat or contradict an earlier one."""
    examples = table.examples
    first: dict[Key, int] = {}
    answers: dict[Key, dict[Any, Where]] = {}  # of texts that occur more than once
    same: list[tuple[Where, Where]] = []
    other: list[tuple[Where, Where]] = []
    for index, example in enumerate(examples):
        key = _key(example)
        before = first.setdefault(key, index)
        if before == index:
            continue
        known = answers.setdefault(key, {examples[before].answer: examples[before].where})
        if example.answer in known:
            same.append((example.where, known[example.answer]))
        else:
            other.append((example.where, examples[before].where))
            known[example.answer] = example.where
    findings = []
    kind = type(examples[0].answer) if examples and examples[0].answer else Label
    if other:
        severity: Severity = "note" if kind.is_one_of_many else "warning"  # several texts may be right for one
        rows, noun = _rows(other), said(kind.noun)
        message = said("{name}: {rows} the text of an earlier row and another {noun}", name=name, rows=rows, noun=noun)
        findings.append(_finding("contradictions", severity, message, other))
    if same:
        message = said(
            "{name}: {rows} the text and the {noun} of an earlier row ({share:.1f} %)",
            name=name, rows=_rows(same), noun=said(kind.noun), share=100 * len(same) / len(examples),
        )  # fmt: skip
        findings.append(_finding("duplicates", "note", message, same))
    like = _alike(examples, first)
    if like:
        rows = _rows(like)
        message = said(
            "{name}: {rows} the text of an earlier row but for spaces and capital letters", name=name, rows=rows
        )
        findings.append(_finding("near duplicates", "note", message, like))
    return findings


def overlap(train: Table, dev: Table) -> list[Finding]:
    """Rows of dev that are in train, too: what is measured on them is memory."""
    known: dict[Key, Example] = {}
    alike: dict[Key, Example] = {}
    for example in train.examples:
        known.setdefault(_key(example), example)
        alike.setdefault(_loose(_key(example)), example)
    same: list[tuple[Where, Where]] = []
    like: list[tuple[Where, Where]] = []
    contrary = 0
    for example in dev.examples:
        if found := known.get(_key(example)):
            same.append((example.where, found.where))
            contrary += example.answer is not None and found.answer != example.answer
        elif found := alike.get(_loose(_key(example))):
            like.append((example.where, found.where))
    findings = []
    if same:
        message = said(
            "dev: {rows} a text that train has, too ({share:.1f} %; {n} with another label)",
            rows=_rows(same), share=100 * len(same) / len(dev.examples), n=contrary,
        )  # fmt: skip
        findings.append(_finding("overlap", "warning", message, same))
    if like:
        rows = _rows(like)
        message = said("dev: {rows} a text that train has, too, but for spaces and capital letters", rows=rows)
        findings.append(_finding("near overlap", "note", message, like))
    return findings


def _alike(examples: Sequence[Example], exact: dict[Key, int]) -> list[tuple[Where, Where]]:
    first: dict[Key, Where] = {}
    like: list[tuple[Where, Where]] = []
    for key, index in exact.items():
        where = examples[index].where
        loose = _loose(key)
        if loose in first:
            like.append((where, first[loose]))
        else:
            first[loose] = where
    return like


def _key(example: Example) -> Key:
    return example.text, example.text_b


def _loose(key: Key) -> Key:
    """The key but for spaces and capital letters."""
    text, text_b = key
    return " ".join(text.split()).casefold(), text_b and " ".join(text_b.split()).casefold()


def _rows(places: Sequence[object]) -> str:
    return quantity(len(places), "row has", "rows have")


def _finding(kind: str, severity: Severity, message: str, places: list[tuple[Where, Where]]) -> Finding:
    here, earlier = zip(*places)
    return Finding(kind, severity, message, here, earlier)
