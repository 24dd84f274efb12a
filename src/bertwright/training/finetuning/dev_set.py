"""The dev set, asked for the model's answers and their scores."""

from __future__ import annotations

from dataclasses import dataclass

from bertwright.machine.precision import autocast
from bertwright.model.models import BertWithHead
from bertwright.runs.results import DevScores
from bertwright.tasks.running import predict_encoded
from bertwright.tasks.task import Task
from bertwright.training.steps import Dataset


@dataclass(frozen=True, slots=True)
class DevSet:
    """Called, it judges the model as it is then.

    Attributes:
        precision: `fp32` or `bf16`, as in training.
    """

    model: BertWithHead
    task: Task
    data: Dataset
    precision: str

    def __call__(self) -> DevScores:
        context = autocast(self.precision, self.model.device)
        predictions = predict_encoded(self.model, self.task, self.data.encoded, precision=context)
        with context:
            measures = self.task.measure(self.model.eval(), self.data.examples, self.data.encoded)
        self.model.train()
        scores = measures | self.task.score(predictions, self.data.examples)
        return DevScores(scores, predictions, self.task.only_answer(predictions, self.data.examples))
