"""`inspect`: what a person should know about their data before a model is trained on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bertwright.checkpoint.hub import weights_folder
from bertwright.data.examples import label_of
from bertwright.data.inspection.ledger import Ledger, examine
from bertwright.data.reading.given_data import rows_of
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.tagged.units import unit_for
from bertwright.tasks.registry import task_for
from bertwright.tasks.task import Task
from bertwright.text.tokenizer.tokenizer import BertTokenizer


def inspect(
    data: Any,
    dev: Any = None,
    *,
    model: str | os.PathLike[str] = "mini",
    task: str | None = None,
    text: str | None = None,
    text_b: str | None = None,
    label: str | None = None,
    labelled: bool = True,
    encoding: str | None = None,
    delimiter: str | None = None,
    max_length: int | None = None,
    download: bool = False,
) -> Ledger:
    """Look for what harms a training: duplicates, contradictions, rare classes, texts that are too long.

        print(bertwright.inspect("train.csv", "dev.csv"))

    Args:
        data, dev: whatever `bertwright.finetune` reads.
        model: tokens are counted as this model does.
        task: what is to be learnt; None: what the form of the data asks for.
        text, text_b, label: the columns, by name.
        labelled: whether every text should have a label.
        encoding, delimiter: of the files.
        max_length: tokens read at once; None: those of the model.
        download: fetch a `model` that is on the hub and not on this machine.

    Raises:
        BertwrightError: BW534 not as many labels as texts, those of reading the data, of the columns, and of the model.
    """
    folder = weights_folder(model, download=download, vocabulary=True, any_kind=True)
    data, dev = rows_of(data, dev)
    source = opened(data, encoding, delimiter)
    columns = Columns(text, label, text_b)
    _, tables = read_sets(source, opened(dev, encoding, delimiter), columns, task=task, labelled=labelled)
    return ledger_of(tables, BertTokenizer.from_pretrained(folder), max_length)


def ledger_of(tables: Sequence[Table], tokenizer: BertTokenizer, max_length: int | None) -> Ledger:
    """What `examine` finds in train and dev, and the unit that tagged data would be read by."""
    ledger = examine(*tables, tokenizer=tokenizer, max_length=max_length)
    return replace(ledger, unit=unit_for(tables[0].examples)) if ledger.sets[0].is_tagged else ledger


def read_sets(
    data: Any, dev: Any, columns: Columns, *, task: str | None, labelled: bool
) -> tuple[type[Task[Any, Any]], list[Table]]:
    """The task that the data are for, and the tables of both; raises as `Task.read`."""
    kind = task_for(data, task)
    tables = [kind.read(data, columns, labelled=labelled)]
    if dev is not None:
        known = {label for one in tables[0].examples if (label := label_of(one))}
        tables.append(kind.read(dev, columns, labelled=labelled, name="dev", pair=tables[0].is_pair, known=known))
    return kind, tables
