"""The scores of a trained model on labelled data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertwright.data.examples import Example
from bertwright.data.tables import Columns, Table, read_table
from bertwright.inference.predictor import Predictor
from bertwright.tasks.task import Prediction, Task


@dataclass(frozen=True, slots=True)
class Report:
    """How well a model answers.

    Attributes:
        task: what was asked.
        table: the data, and what was found out while reading it.
        scores: the task's metrics.
        predictions: one for each example of the table.
    """

    task: Task
    table: Table
    scores: dict[str, float]
    predictions: Sequence[Prediction]

    @property
    def examples(self) -> Sequence[Example]:
        """The examples that were answered."""
        return self.table.examples


def evaluate(
    run: str | Path,
    data: str | Path,
    *,
    columns: Columns | None = None,
    encoding: str | None = None,
    device: str = "cpu",
) -> Report:
    """Score the model of a run folder on a labelled `.csv` or `.tsv` file.

    Raises:
        BertwrightError: those of `Predictor.load` and `read_table`, and BW209 for a label it does not know.
    """
    predictor = Predictor.load(run, device)
    table = read_table(Path(data), columns, labelled=True, encoding=encoding)
    predictor.task.check(table.examples)
    predictions = predictor.answer(table.examples)
    return Report(predictor.task, table, predictor.task.score(predictions, table.examples), predictions)
