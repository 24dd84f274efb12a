"""The scores of a trained model on labelled data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertwright.data.examples import Example
from bertwright.data.reading.tables import Columns, Table
from bertwright.errors import BertwrightError
from bertwright.evaluation.abstention import Abstention, abstention
from bertwright.evaluation.summary import Answers, Summary, summarize
from bertwright.inference.cut_texts import say_cut
from bertwright.inference.predictor import Predictor
from bertwright.reports.answer_files import answer_row, answers_of
from bertwright.tasks.running import predict_encoded
from bertwright.tasks.task import Prediction, Task


@dataclass(frozen=True, slots=True)
class Report:
    """How well a model answers.

    Attributes:
        task: what was asked.
        table: the data, and what was found out while reading it.
        scores: the task's metrics.
        predictions: one for each example of the table.
        answers: the same as arrays; None for a task whose answer is not one class a text.
        summary: metrics with their intervals, calibration, scores of each class; None as `answers`.
    """

    task: Task
    table: Table
    scores: dict[str, float]
    predictions: Sequence[Prediction]
    answers: Answers | None
    summary: Summary | None

    @property
    def examples(self) -> Sequence[Example]:
        """The examples that were answered."""
        return self.table.examples

    def abstention(self, accuracy: float) -> Abstention | None:
        """The threshold on the score above which answers reach `accuracy`, and how many are left; None: no such.

        Raises:
            BertwrightError: BW521 the task has no classes, BW522 an accuracy that is no share.
        """
        if self.answers is None:
            raise BertwrightError("BW521", task=self.task.name)
        if not 0 < accuracy <= 1:
            raise BertwrightError("BW522", value=accuracy)
        return abstention(self.answers.confidence, self.answers.right, accuracy)

    def worst(self, limit: int) -> list[dict[str, Any]]:
        """The wrong answers, the most confident first, at most `limit`."""
        if self.answers is None:
            return self.task.errors(self.predictions, self.examples)[:limit]
        chosen = self.answers.most_confident_errors()[:limit]
        return [answer_row(self.examples[index], self.predictions[index]) for index in chosen]

    def to_json(self) -> dict[str, Any]:
        """Everything but the single answers, as a JSON object."""
        values: dict[str, Any] = {"data": self.table.source, "examples": len(self.examples), "scores": self.scores}
        values["truncated"] = sum(one.truncated for one in self.predictions)
        if tables := self.task.tables(self.predictions, self.examples):
            values["tables"] = [asdict(one) for one in tables]
        return values | (self.summary.to_json() if self.summary is not None else {})


def evaluate(
    run: str | Path,
    data: Any,
    *,
    columns: Columns | None = None,
    encoding: str | None = None,
    device: str = "cpu",
    choices: Sequence[str] = (),
) -> Report:
    """Score the model of a run folder on labelled data: a file, rows or a data frame, as `read_examples` takes them.

    `choices` are `key=value` words for `Predictor.choose`.

    Raises:
        BertwrightError: those of `Predictor.load` and `read_examples`, BW209 for a label it does not know, BW581 and
            BW582 for pairs where it reads single texts and the other way round, BW523 for a task without labels.
    """
    predictor = Predictor.load(run, device)
    if choices:
        predictor.choose(choices)
    task = _task_of(predictor)
    pair = task.reads_pairs or None
    table = task.read(data, columns, labelled=True, encoding=encoding, name="data", pair=pair, known=task.class_names)
    return score(predictor, table)


def score(predictor: Predictor, table: Table) -> Report:
    """The report of a loaded model on data that was read."""
    task = _task_of(predictor)
    task.check(table.examples)
    encoded = task.encode(predictor.tokenizer, table.examples, predictor.reading)
    predictions = predict_encoded(predictor.model, task, encoded)
    say_cut(predictions, predictor.reading)
    scores = task.measure(predictor.model, table.examples, encoded) | task.score(predictions, table.examples)
    answers = answers_of(task, predictions, table.examples)
    summary = None
    if answers is not None:
        temperature = task.temperature
        summary = summarize(answers) if temperature == 1 else summarize(answers.tempered(1 / temperature), temperature)
    return Report(task, table, scores, predictions, answers, summary)


def _task_of(predictor: Predictor) -> Task:
    """What the model was trained to answer, if its answers can be scored (else BW523)."""
    if not isinstance(predictor.task, Task):
        raise BertwrightError("BW523", task=predictor.task.name)
    return predictor.task
