"""The scores of a trained model on labelled data."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bertwright.checkpoint.hub import spelt
from bertwright.data.examples import Example
from bertwright.data.reading.given_data import labelled_rows, say_read
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.windows import Reading
from bertwright.engines.runner import Runner
from bertwright.errors import BertwrightError
from bertwright.evaluation.abstention import Abstention, abstention
from bertwright.inference.orders import judged_task, require_order
from bertwright.inference.predictor import Predictor
from bertwright.inference.seen import say_seen, set_of
from bertwright.tasks.judged import Judged
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.task import Task
from bertwright.wording import quantity, said

log = logging.getLogger("bertwright")


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """How well a model answers.

    Attributes:
        task: what was asked.
        table: the data, and what was found out while reading it.
        predictions: one for each example of the table.
        judged: what the task says of them.
        seen: `train` or `dev` where the data are that set of the run itself; None where they are not, or nobody knows.
    """

    task: Task[Any, Any]
    table: Table
    predictions: Sequence[Prediction]
    judged: Judged
    seen: str | None = None

    @property
    def examples(self) -> Sequence[Example]:
        """The examples that were answered."""
        return self.table.examples

    @property
    def scores(self) -> dict[str, float]:
        """The task's metrics."""
        return dict(self.judged.scores)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}={value:.4f}" for name, value in self.scores.items())
        return f"Report({len(self.examples)} examples of {self.table.source}, {scores})"

    def abstention(self, accuracy: float) -> Abstention | None:
        """The threshold on the score above which answers reach `accuracy`, and how many are left; None: no such.

        Raises:
            BertwrightError: BW521 the task has no classes, BW522 an accuracy that is no share.
        """
        sureness = self.judged.sureness
        if sureness is None:
            raise BertwrightError("BW521", task=self.task.name)
        if not 0 < accuracy <= 1:
            raise BertwrightError("BW522", value=accuracy)
        return abstention(sureness.confidence, sureness.right, accuracy)

    def worst(self, limit: int) -> list[dict[str, Any]]:
        """The wrong answers, the most confident first, at most `limit`."""
        return [dict(row) for row in self.task.mistakes(self.predictions, self.examples).rows[:limit]]

    def to_json(self) -> dict[str, Any]:
        """Everything but the single answers, as a JSON object."""
        values: dict[str, Any] = {"data": self.table.source, "examples": len(self.examples), "scores": self.scores}
        values["seen_in_training"] = self.seen
        values["truncated"] = sum(one.truncated for one in self.predictions)
        if self.judged.tables:
            values["tables"] = [one.to_json() for one in self.judged.tables]
        return values | dict(self.judged.details)


def evaluate(
    run: str | os.PathLike[str],
    data: Any,
    labels: Any = None,
    *,
    columns: Columns | None = None,
    encoding: str | None = None,
    device: str = "cpu",
    engine: str = "torch",
    precision: str = "auto",
    choices: Sequence[str] = (),
    text: str | None = None,
    text_b: str | None = None,
    label: str | None = None,
    delimiter: str | None = None,
    drop_unlabelled: bool = False,
) -> Report:
    """Score the model of a run folder on labelled data.

        bertwright.evaluate("runs/first", "test.csv").scores
        bertwright.evaluate(run, frame, text="review", label="stars")
        bertwright.evaluate(run, ["good", "bad", …], ["pos", "neg", …])

    Args:
        run: a run folder, a model folder, or a `Run`.
        data: a file, rows or a data frame, as `bertwright.finetune` reads them; or a list of texts.
        labels: of the texts, where `data` is a list of them.
        columns: of the data; or by name, as `text`, `text_b` and `label`.
        encoding, delimiter: of a file, instead of those that are found.
        precision: as of `Predictor.load`.
        choices: `key=value` words for `Predictor.answering`.
        drop_unlabelled: leave out rows without a label, and say how many; else they are an error.

    Raises:
        BertwrightError: BW534, BW535 labels that do not go with the texts, those of `Predictor.load` and
            `read_examples`, BW209 for a label it does not know, BW581 and BW582 for pairs where it reads single texts
            and the other way round, BW144 for arguments that changed places, BW145 for a pre-trained model.
    """
    require_order("evaluate", (run,), data)
    predictor = Predictor.load(run, device, engine, precision)
    if choices:
        predictor = predictor.answering(choices)
    task = judged_task(predictor, run)
    source = opened(labelled_rows(data, labels), encoding, delimiter)
    table = labelled_data(task, source, Columns.named(columns, text, text_b, label), drop=drop_unlabelled)
    seen = set_of(run, table)
    say_seen({spelt(run): seen})
    report = replace(score(predictor, table, fitted_on_it=seen == "dev"), seen=seen)
    say_gaps(task, table)
    return report


def labelled_data(task: Task[Any, Any], data: Any, columns: Columns | None, *, drop: bool = False) -> Table:
    """Data that a trained model is judged on, and what was read, said; `drop`: without the rows that have no label.

    Raises as `Task.read`.
    """
    pair, known = task.reads_pairs or None, task.class_names
    table = task.read(data, columns, labelled=True, name="data", pair=pair, known=known)
    table = table.labelled_only() if drop else table
    say_read(table)
    return table


def say_gaps(task: Task[Any, Any], table: Table) -> None:
    """Warn of what the examples lack, so that their scores say little."""
    for gap in task.gaps(table.examples):
        log.warning(str(gap))


def score(predictor: Predictor[Any], table: Table, *, fitted_on_it: bool = False) -> Report:
    """The report of a loaded model on data that was read.

    `fitted_on_it`: its temperature was fitted on them, so that the calibration is judged as in the card of the run, by
    temperatures that were fitted on the other half each.
    """
    task, model = predictor.task.as_task(), predictor.engine.model
    judging = task.untempered() if fitted_on_it else task
    task.check(table.examples)
    encoded = task.encode(predictor.tokenizer, table.examples, predictor.reading)
    predictions = Runner.of(predictor.engine.for_task(judging), judging).answers(encoded)
    say_cut(predictions, predictor.reading)
    judged = judging.judge(predictions, table.examples)
    if fitted_on_it:
        predictions = task.tempered(predictions)
        judged = replace(judged, sureness=task.judge(predictions, table.examples).sureness)
    measured = {} if model is None else task.measure(model, table.examples, encoded)
    return Report(task, table, predictions, replace(judged, scores=measured | dict(judged.scores)))


def say_cut(predictions: Sequence[Prediction], reading: Reading) -> None:
    """Say how many texts were cut, if any were."""
    cut = sum(one.truncated for one in predictions)
    if cut:
        log.warning(
            said("{texts} cut to {tokens} tokens (long={long}) and scored so", texts=quantity(cut, "text"),
                 tokens=reading.max_length, long=reading.long)
        )  # fmt: skip
