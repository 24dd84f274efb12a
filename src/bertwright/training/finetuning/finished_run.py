"""`Run`: what a fine-tuning gives to its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertwright.data.examples import Example
from bertwright.data.inspection.ledger import Ledger
from bertwright.runs.results import RunResult
from bertwright.tasks.judged import Judged
from bertwright.tasks.prediction import Prediction
from bertwright.tasks.task import Task


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Run:
    """A finished run; wherever a run folder is asked for, it stands for its own.

    Attributes:
        folder: its run folder; `folder / "best"` is the model.
        task: what was trained.
        outcome: the best evaluation and the cost.
        dev: the dev examples.
        predictions: the answers of the best model to them.
        judged: what the task says of these.
        ledger: what was read, found and lost of the data.
    """

    folder: Path
    task: Task[Any, Any]
    outcome: RunResult
    dev: Sequence[Example]
    predictions: Sequence[Prediction]
    judged: Judged
    ledger: Ledger

    @property
    def scores(self) -> dict[str, float]:
        """The task's metrics on the dev set."""
        return dict(self.outcome.best.scores)

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}={value:.4f}" for name, value in self.scores.items())
        return f"Run('{self.folder}', task='{self.task.name}', best_epoch={self.outcome.best.epoch}, {scores})"

    def to_json(self) -> dict[str, Any]:
        """Where it is and how good, as a JSON object; `metrics` has the scores with their 95 % intervals, of tasks that
        tell such.
        """
        best = self.outcome.best
        metrics = {"metrics": self.judged.details["metrics"]} if "metrics" in self.judged.details else {}
        return {
            "run": str(self.folder), "model": str(self.folder / "best"), "task": self.task.name,
            "best_epoch": best.epoch, "best_step": best.step, "scores": best.scores, "dev_examples": len(self.dev),
        } | metrics  # fmt: skip
