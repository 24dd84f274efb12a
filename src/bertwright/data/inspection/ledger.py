"""`Ledger`: what a person should know about their data before a model is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from bertwright.data.examples import Example, Where, label_of
from bertwright.data.inspection.finding import Finding, Severity
from bertwright.data.inspection.repetition import overlap, repetitions
from bertwright.data.inspection.token_counts import TokenCounts, count_tokens
from bertwright.data.reading.tables import Table
from bertwright.data.windows import LONGER_TEXTS, Long
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import quantity, shown

_IMBALANCE = 10  # the largest class to the smallest
_FEW = 10  # examples of a class
_UNKNOWN = 0.01  # share of tokens
_PIECES_SHOWN = 10
_EXAMPLE_TOKENS = 64


@dataclass(frozen=True, slots=True)
class SetOfExamples:
    """One set in figures.

    Attributes:
        name: `train` or `dev`.
        source: where it came from.
        rows: examples in it.
        classes: their labels with counts, the most frequent first; of tagged texts the types of what is marked.
        tokens: lengths and unknown tokens; None without a tokenizer.
        is_tagged: whether it is marks that are counted, not rows.
        answers: sentences about answers that are no classes.
    """

    name: str
    source: str
    rows: int
    classes: dict[str, int]
    tokens: TokenCounts | None
    is_tagged: bool = False
    answers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        labelled = max(sum(self.classes.values()), 1)
        classes = {one: {"count": n, "share": round(n / labelled, 4)} for one, n in self.classes.items()}
        tokens = self.tokens.to_json() if self.tokens else None
        counted = "marks" if self.is_tagged else "rows"
        told = {"answers": list(self.answers)} if self.answers else {}
        return {
            "source": self.source, "rows": self.rows, "counted": counted, "classes": classes, "tokens": tokens, **told
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class EncodedExample:
    """A text as the model reads it.

    Attributes:
        example: the text.
        pieces: its tokens, the first ones of a long text.
    """

    example: Example
    pieces: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        one = self.example
        return {
            "where": str(one.where),
            "text": one.text,
            "text_b": one.text_b,
            **dict.fromkeys(("label", "target", "spans")),
            **(one.answer.fields() if one.answer else {}),
            "pieces": list(self.pieces),
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was found.

    Attributes:
        sets: train, and dev where there is one.
        findings: warnings first.
        example: one encoded text; None without a tokenizer.
    """

    sets: tuple[SetOfExamples, ...]
    findings: tuple[Finding, ...]
    example: EncodedExample | None

    def to_json(self) -> dict[str, Any]:
        """A JSON object: a key for every set, `findings` and `example`."""
        return {
            **{one.name: one.to_json() for one in self.sets},
            "findings": [finding.to_json() for finding in self.findings],
            "example": self.example.to_json() if self.example else None,
        }


def examine(
    train: Table,
    dev: Table | None = None,
    *,
    tokenizer: BertTokenizer | None = None,
    max_length: int | None = None,
    long: Long | None = None,
    counts: Sequence[TokenCounts] = (),
) -> Ledger:
    """Look at one or two tables.

    Args:
        train: what a model is to learn from.
        dev: what it is to be measured on.
        tokenizer: of the model, to count tokens with.
        max_length: the longest input in tokens; None: the tokenizer's.
        long: what becomes of longer texts, where that is known.
        counts: of train and dev, where they were counted before (`counts_of`), so that nothing is encoded twice.
    """
    tables = {"train": train} if dev is None else {"train": train, "dev": dev}
    if tokenizer is not None and not counts:
        limit = max_length or tokenizer.model_max_length
        counts = [count_tokens(tokenizer, table.examples, limit) for table in tables.values()]
    sets = [_in_figures(name, table, tokens) for (name, table), tokens in zip_longest(tables.items(), counts)]
    findings: list[Finding] = []
    for one, table in zip(sets, tables.values()):
        findings += _of_rows(table, one.name) + repetitions(table, one.name) + _of_tokens(one, long)
        findings += _of_classes(one, table)
    if dev is not None:
        findings += _of_both(sets, train, dev)
    findings.sort(key=lambda finding: finding.severity != "warning")
    example = None if tokenizer is None else _encode_one(tokenizer, train.examples[0])
    return Ledger(tuple(sets), tuple(findings), example)


def _in_figures(name: str, table: Table, tokens: TokenCounts | None) -> SetOfExamples:
    given = [example.answer for example in table.examples if example.answer]
    labels = Counter(label for answer in given for label in answer.classes())
    is_tagged = any(not answer.of_row and answer.classes() for answer in given)
    profile = tuple(type(given[0]).profile(given)) if given else ()
    return SetOfExamples(
        name, table.source, len(table.examples), dict(labels.most_common()), tokens, is_tagged, profile
    )


def _of_rows(table: Table, name: str) -> list[Finding]:
    kinds: tuple[tuple[str, Severity, tuple[Where, ...], str], ...] = (
        ("unlabelled", "warning", table.unlabelled, "without a label; training refuses them"),
        ("empty", "note", table.empty, "without text left out"),
        ("undecided", "note", table.undecided, "with the label '-' left out"),
    )
    return [
        Finding(kind, severity, f"{name}: {quantity(len(places), 'row')} {what}", places)
        for kind, severity, places, what in kinds
        if places
    ]


def _of_classes(one: SetOfExamples, table: Table) -> list[Finding]:
    """Of the classes that a model is to learn."""
    classes, name = one.classes, one.name
    if not classes or name != "train" or one.is_tagged:
        return []
    if len(classes) == 1:
        (label,) = classes
        return [Finding("single class", "warning", f"{name}: every row has the label '{label}'; training refuses it")]
    if len(classes) > max(20, one.rows // 2):
        message = (
            f"{name}: {len(classes)} different labels in {one.rows} rows: '{table.columns.label}' holds no classes"
        )
        return [Finding("too many classes", "warning", message)]
    return _alike(classes, table) + _unequal(classes, table)


def _unequal(classes: dict[str, int], table: Table) -> list[Finding]:
    """Classes, the largest first, that have far fewer rows than others, or than are needed to learn them."""
    findings = []
    most, least = next(iter(classes)), list(classes)[-1]
    if classes[most] > _IMBALANCE * classes[least]:
        message = (
            f"train: '{most}' has {classes[most] / classes[least]:.0f} times as many rows as '{least}' "
            f"({classes[most]} to {classes[least]}); look at macro-F1, and try class_weight=balanced"
        )
        findings.append(Finding("imbalance", "warning", message))
    rare = {label: count for label, count in classes.items() if count < _FEW}
    if rare:
        listed = shown(f"'{label}' {count}" for label, count in rare.items())
        message = f"train: {len(rare)} of {len(classes)} classes have fewer than {_FEW} rows ({listed})"
        findings.append(Finding("rare classes", "warning", message, _places_of(rare, table)))
    return findings


def _places_of(labels: Collection[str], table: Table) -> tuple[Where, ...]:
    """Where the examples of these classes are."""
    return tuple(example.where for example in table.examples if label_of(example) in labels)


def _alike(classes: dict[str, int], table: Table) -> list[Finding]:
    """Labels that a person would take for one."""
    groups: dict[str, list[str]] = {}
    for label in classes:
        groups.setdefault(" ".join(label.split()).casefold(), []).append(label)
    findings = []
    for group in groups.values():
        if len(group) > 1:
            listed = shown(f"'{label}' {classes[label]}" for label in group)
            message = f"train: labels that differ only in capital letters or spaces are classes of their own ({listed})"
            findings.append(Finding("alike labels", "warning", message, _places_of(group[1:], table)))
    return findings


def _of_both(sets: Sequence[SetOfExamples], train: Table, dev: Table) -> list[Finding]:
    learnt, held = sets
    findings = []
    if unseen := _only_in(held, learnt):
        message = f"dev: {len(unseen)} classes that train has not ({shown(unseen)}); training refuses them"
        findings.append(Finding("unseen classes", "warning", message, _places_of(set(unseen), dev)))
    if learnt.is_tagged and not held.classes:
        message = f"dev: nothing is marked in its {quantity(held.rows, 'text')}: no score can be measured on it"
        findings.append(Finding("unmarked", "warning", message))
    if missing := _only_in(learnt, held):
        message = f"dev: {len(missing)} classes of train have no row ({shown(missing)})"
        findings.append(Finding("missing classes", "note", message))
    findings += overlap(train, dev)
    if train.is_pair != dev.is_pair:
        pairs, singles = ("train", "dev") if train.is_pair else ("dev", "train")
        findings.append(Finding("pairs", "warning", f"{pairs} has pairs of texts, {singles} has single texts"))
    return findings


def _only_in(one: SetOfExamples, other: SetOfExamples) -> list[str]:
    """The classes of one set that the other one lacks; none where that has no classes at all."""
    return [label for label in one.classes if label not in other.classes] if other.classes else []


def _of_tokens(one: SetOfExamples, long: Long | None) -> list[Finding]:
    tokens, name = one.tokens, one.name
    if tokens is None:
        return []
    findings = []
    if tokens.long:
        share = 100 * tokens.beyond / tokens.tokens
        fate = "the setting long says what becomes of them" if long is None else f"{LONGER_TEXTS[long]} (long={long})"
        message = (
            f"{name}: {len(tokens.long)} of {one.rows} texts {'is' if len(tokens.long) == 1 else 'are'} longer than "
            f"{tokens.limit} tokens, {share:.1f} % of all tokens lie beyond; {fate}"
        )
        findings.append(Finding("long", "note", message, tokens.long))
    if tokens.unknown:
        share = tokens.unknown / tokens.read
        pieces = shown((f"{piece} ({count})" for piece, count in tokens.pieces), _PIECES_SHOWN)
        message = f"{name}: {tokens.unknown} tokens ({100 * share:.2f} %) are unknown to the vocabulary: {pieces}"
        findings.append(Finding("unknown tokens", "warning" if share > _UNKNOWN else "note", message))
    return findings


def _encode_one(tokenizer: BertTokenizer, example: Example) -> EncodedExample:
    pairs = None if example.text_b is None else [example.text_b]
    encoded = tokenizer.encode_batch([example.text], pairs, max_length=_EXAMPLE_TOKENS)[0]
    return EncodedExample(example, tuple(tokenizer.convert_ids_to_tokens(encoded.input_ids.tolist())))
