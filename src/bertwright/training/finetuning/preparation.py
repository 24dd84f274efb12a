"""From tables to what the loop reads, with an account of what is in them and of what was lost on the way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from bertwright.data.examples import Example
from bertwright.data.inspection.ledger import Ledger, SetOfExamples, examine
from bertwright.data.inspection.token_counts import counts_of
from bertwright.data.reading.tables import Table
from bertwright.data.windows import Reading
from bertwright.tasks.task import Task
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.training.steps import Dataset
from bertwright.wording import quantity, said, shown

log = logging.getLogger("bertwright")


def prepare(
    task: Task[Any, Any],
    tokenizer: BertTokenizer,
    examples: Sequence[Example],
    reading: Reading,
    class_weight: str = "none",
) -> Dataset:
    """Encode the examples; `class_weight` is that of `Task.weights`."""
    encoded = task.encode(tokenizer, examples, reading)
    return Dataset(examples, encoded, task.targets(examples, encoded), task.weights(examples, encoded, class_weight))


def say_what_was_found(
    tables: tuple[Table, Table], sets: tuple[Dataset, Dataset], tokenizer: BertTokenizer, reading: Reading
) -> Ledger:
    """The ledger before training: classes, lengths, what is cut, and everything that looks wrong."""
    limit = reading.max_length
    counts = [counts_of(tokenizer, one.examples, one.encoded, limit) for one in sets]
    ledger = examine(*tables, tokenizer=tokenizer, max_length=limit, long=reading.long, counts=counts)
    for one, data in zip(ledger.sets, sets):
        log.info(_line(one))
        _say_cut(data, reading, one.name)
    for finding in (one for one in ledger.findings if one.is_news):
        log.log(logging.WARNING if finding.severity == "warning" else logging.INFO, finding.line())
    if ledger.example is not None:
        pieces = " ".join(ledger.example.pieces[:60])
        log.info(said("an example as the model reads it: {pieces}", pieces=pieces))
    return ledger


def _line(one: SetOfExamples) -> str:
    classes = shown((f"{label} {count}" for label, count in one.classes.items()), 8)
    tokens = one.tokens
    assert tokens is not None
    examples = quantity(one.rows, "example")
    parts = [said("{examples} ({classes})", examples=examples, classes=classes) if classes else examples, *one.answers]
    parts.append(
        said(
            "{tokens} tokens, median {median}, 95 % up to {p95}, longest {longest}",
            tokens=tokens.tokens, median=tokens.median, p95=tokens.p95, longest=tokens.longest,
        )
    )  # fmt: skip
    return said("{name}: {parts}", name=one.name, parts=said("; ").join(parts))


def _say_cut(data: Dataset, reading: Reading, name: str) -> None:
    encoded = data.encoded
    cut = int(encoded.tokens_cut.sum())
    if cut:
        log.warning(
            said(
                "{name}: {n} of {all} texts are cut at {limit} tokens (long={long}); {cut} tokens ({share:.1f} % of "
                "all) are lost",
                name=name, n=(encoded.tokens_cut > 0).sum(), all=len(encoded.tokens), limit=reading.max_length,
                long=reading.long, cut=cut, share=100 * cut / encoded.tokens.sum(),
            )
        )  # fmt: skip
