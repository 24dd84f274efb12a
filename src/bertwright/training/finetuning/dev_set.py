"""The dev set, asked for the model's answers and their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bertwright.engines.runner import Runner
from bertwright.engines.torch_engine import TorchEngine
from bertwright.machine.precision import autocast
from bertwright.model.models import BertWithHead
from bertwright.runs.results import DevScores
from bertwright.tasks.task import Task
from bertwright.training.steps import Dataset


@dataclass(frozen=True, slots=True)
class DevSet:
    """Called, it judges the model as it is then.

    Attributes:
        precision: `fp32` or `bf16`, as in training.
    """

    model: BertWithHead
    task: Task[Any, Any]
    data: Dataset
    precision: str

    def __call__(self) -> DevScores:
        examples, encoded = self.data.examples, self.data.encoded
        predictions = Runner.of(TorchEngine(self.model, self.task, self.precision), self.task).answers(encoded)
        with autocast(self.precision, self.model.device):
            measures = self.task.measure(self.model, examples, encoded)
        self.model.train()
        scores = measures | self.task.score(predictions, examples)
        return DevScores(scores, predictions, self.task.only_answer(predictions, examples))
