"""Answers to labelled examples as files to read."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bertwright.data.examples import Example
from bertwright.data.spreadsheet import spreadsheet_csv
from bertwright.tasks.judged import Mistakes
from bertwright.tasks.prediction import Prediction, answer_row


def answers_jsonl(examples: Sequence[Example], predictions: Sequence[Prediction]) -> str:
    """Every answer, one JSON line each, in the order of the examples."""
    rows = (answer_row(example, prediction) for example, prediction in zip(examples, predictions))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def mistakes_csv(mistakes: Mistakes) -> str:
    """What is wrong in the answers, as a file that a spreadsheet opens without harm."""
    return spreadsheet_csv(mistakes.header, mistakes.cells)
