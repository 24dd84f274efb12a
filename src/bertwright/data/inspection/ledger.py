"""`Ledger`: what a person should know about their data before a model is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from bertwright.data.examples import Example
from bertwright.data.inspection.class_findings import of_both, of_classes
from bertwright.data.inspection.finding import Finding
from bertwright.data.inspection.lost_texts import of_lost_texts
from bertwright.data.inspection.repetition import repetitions
from bertwright.data.inspection.text_findings import of_texts, of_tokens
from bertwright.data.inspection.token_counts import TokenCounts, count_tokens
from bertwright.data.inspection.token_findings import of_tagged
from bertwright.data.reading.tables import Table
from bertwright.data.tagged.units import Unit
from bertwright.data.windows import Long
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.wording import quantity, said, shown

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


@dataclass(frozen=True, slots=True, repr=False)
class Ledger:
    """What was found.

    Attributes:
        sets: train, and dev where there is one.
        findings: warnings first.
        example: one encoded text; None without a tokenizer.
        unit: what gets a tag, where nothing else is wished; None for data that are not tagged.
    """

    sets: tuple[SetOfExamples, ...]
    findings: tuple[Finding, ...]
    example: EncodedExample | None
    unit: Unit | None = None

    def __repr__(self) -> str:
        sets = ", ".join(f"{one.name}={one.rows}" for one in self.sets)
        return f"Ledger({sets}, {len(self.findings)} findings)"

    def __str__(self) -> str:
        """A line for each set, and one for each finding."""
        lines = []
        for one in self.sets:
            classes = shown((f"{label} {count}" for label, count in one.classes.items()), 8)
            lines.append(f"{one.name}: {quantity(one.rows, 'example')}" + (f" ({classes})" if classes else ""))
        if self.unit is not None:
            lines.append(self.unit_line())
        return "\n".join([*lines, *(f"{said(one.severity)}: {one.line()}" for one in self.findings)])

    def unit_line(self) -> str:
        """The sentence about `unit`."""
        return said("what gets a tag, by the entities of train: unit={unit}", unit=self.unit)

    def to_json(self) -> dict[str, Any]:
        """A JSON object: a key for every set, `findings` and `example`; `unit` of tagged data."""
        return {
            **{one.name: one.to_json() for one in self.sets},
            "findings": [finding.to_json() for finding in self.findings],
            "example": self.example.to_json() if self.example else None,
            **({"unit": self.unit} if self.unit is not None else {}),
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
        findings += (
            of_texts(table, one.name)
            + of_lost_texts(table, one.name)
            + of_tagged(table, one.name)
            + repetitions(table, one.name)
        )
        if one.tokens is not None:
            findings += of_tokens(one.tokens, one.name, one.rows, long)
        if one.name == "train":
            findings += of_classes(one.classes, table, is_tagged=one.is_tagged)
    if dev is not None:
        findings += of_both((sets[0].classes, sets[1].classes), train, dev, is_tagged=sets[0].is_tagged)
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


def _encode_one(tokenizer: BertTokenizer, example: Example) -> EncodedExample:
    pairs = None if example.text_b is None else [example.text_b]
    encoded = tokenizer.encode_batch([example.text], pairs, max_length=_EXAMPLE_TOKENS)[0]
    return EncodedExample(example, tuple(tokenizer.convert_ids_to_tokens(encoded.input_ids.tolist())))
