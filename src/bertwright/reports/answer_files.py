"""Answers to labelled examples: as arrays to score, and as files to read.

Shapes: N examples, C classes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bertwright.data.examples import Example
from bertwright.evaluation.calibration import tempered
from bertwright.evaluation.summary import Answers
from bertwright.tasks.classification import Classification, ClassPrediction
from bertwright.tasks.entities.entities import entity_json
from bertwright.tasks.task import Prediction, Task

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def answers_of(task: Task, predictions: Sequence[Prediction], examples: Sequence[Example]) -> Answers | None:
    """The answers as arrays; None for a task whose answer is not one class a text."""
    if not isinstance(task, Classification):
        return None
    given = [one for one in predictions if isinstance(one, ClassPrediction)]
    return Answers.of(
        task.labels,
        [example.label or "" for example in examples],
        [one.label for one in given],
        [one.scores for one in given],
    )


def with_temperature(predictions: Sequence[Prediction], temperature: float) -> list[Prediction]:
    """The same answers with tempered probabilities: the classes stay, only how sure they are changes."""
    return [_with_temperature(one, temperature) for one in predictions]


def _with_temperature(prediction: Prediction, temperature: float) -> Prediction:
    if temperature == 1 or not isinstance(prediction, ClassPrediction):
        return prediction
    row = tempered(np.array([list(prediction.scores.values())]), temperature)[0].tolist()
    scores = dict(zip(prediction.scores, row))
    return replace(prediction, score=scores[prediction.label], scores=scores)


def answer_row(example: Example, prediction: Prediction) -> dict[str, Any]:
    """One answer with its example as a JSON object: where, the text or texts, the true answer, and the given one."""
    values = prediction.to_json()
    row: dict[str, Any] = {"where": str(example.where), "text": example.text}
    if example.text_b is not None:
        row["text_b"] = example.text_b
    row["gold"] = example.target if example.target is not None else example.label or ""
    if example.spans is not None:
        row["gold"] = [entity_json(example.text, span) for span in example.spans]
    if "label" in values:
        values = {"predicted": values.pop("label"), **values}
    return row | values


def answers_jsonl(examples: Sequence[Example], predictions: Sequence[Prediction]) -> str:
    """Every answer, one JSON line each, in the order of the examples."""
    rows = (answer_row(example, prediction) for example, prediction in zip(examples, predictions))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def errors_csv(examples: Sequence[Example], predictions: Sequence[Prediction], answers: Answers) -> str:
    """The wrong answers, the most confident first, as a file that a spreadsheet opens without harm."""
    has_pairs = any(example.text_b is not None for example in examples)
    header = [
        "where",
        "gold",
        "predicted",
        "score",
        "gold_score",
        "truncated",
        "text",
        *(["text_b"] if has_pairs else []),
    ]
    rows = []
    for index in answers.most_confident_errors():
        example, scores = examples[index], answers.probabilities[index]
        row = [
            str(example.where),
            example.label or "",
            answers.labels[answers.predicted[index]],
            f"{scores[answers.predicted[index]]:.6f}",
            f"{scores[answers.gold[index]]:.6f}",
            "yes" if predictions[index].truncated else "no",
            example.text,
        ]
        rows.append(row + ([example.text_b or ""] if has_pairs else []))
    return spreadsheet_csv(header, rows)


def mistakes_csv(mistakes: Sequence[Mapping[str, Any]]) -> str:
    """What `Task.errors` found, as a file that a spreadsheet opens without harm."""
    header = list(mistakes[0]) if mistakes else ["where", "kind", "gold", "predicted", "score", "text"]
    rows = [
        [f"{value:.6f}" if isinstance(value, float) else str(value) for value in mistake.values()]
        for mistake in mistakes
    ]
    return spreadsheet_csv(header, rows)


def spreadsheet_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV with a byte-order mark; a cell that a spreadsheet would run as a formula gets an apostrophe in front."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return BYTE_ORDER_MARK + table.getvalue()


def harmless(cell: str) -> str:
    """`cell`, with an apostrophe in front if it starts like a formula; plain numbers stay numbers."""
    if not cell.startswith(_STARTS_A_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell
