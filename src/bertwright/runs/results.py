"""What comes out of a training: each evaluation on the way, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bertwright.runs.training_state import Step
from bertwright.tasks.prediction import Prediction


@dataclass(frozen=True, slots=True)
class DevScores:
    """The dev set under the model as it is now.

    Attributes:
        scores: the task's metrics.
        predictions: of the dev examples.
        only_answer: the answer that every example got though the true ones differ; None if there is no such.
        remarks: lines that a person may want to see.
    """

    scores: dict[str, float]
    predictions: Sequence[Prediction] = ()
    only_answer: str | None = None
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The dev set after some steps.

    Attributes:
        epoch: which pass over the data it is, counted from 1.
        step: steps of the optimizer so far.
        train: mean loss and measures over the steps since the evaluation before.
        scores: the task's metrics.
        predictions: of the dev examples; None where this evaluation was made before an interruption.
    """

    epoch: int
    step: int
    train: dict[str, float]
    scores: dict[str, float]
    predictions: Sequence[Prediction] | None

    def row(self) -> dict[str, float]:
        """The line of `metrics.csv`."""
        sets = {"train": self.train, "dev": self.scores}
        scores = {f"{of}_{name}": round(value, 6) for of, values in sets.items() for name, value in values.items()}
        return {"epoch": self.epoch, "step": self.step} | scores


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of a run.

    Attributes:
        best: the evaluation that `best/` was saved at.
        history: every step.
        tokens: real tokens trained on.
        train_seconds: time in training steps, without evaluation and saving.
        total_seconds: time in the loop; of an interrupted session, what had been saved.
        skipped: steps that were not taken because a loss or a gradient was not finite.
        micro_tokens: tokens computed at once, in the end.
        stopped: why the run ended before its last step; empty if it did not.
    """

    best: Evaluation
    history: Sequence[Step]
    tokens: int
    train_seconds: float
    total_seconds: float
    skipped: int
    micro_tokens: int
    stopped: str = ""

    def summary(self) -> dict[str, Any]:
        """What `run.json` says at the end."""
        return {
            "finished": True,
            "stopped": self.stopped,
            "best_epoch": self.best.epoch,
            "best_step": self.best.step,
            "best_scores": self.best.scores,
            "steps": len(self.history),
            "steps_skipped": self.skipped,
            "train_tokens": self.tokens,
            "train_seconds": round(self.train_seconds, 3),
            "total_seconds": round(self.total_seconds, 3),
            "tokens_per_second": round(self.tokens / max(self.train_seconds, 1e-9), 1),
        }
