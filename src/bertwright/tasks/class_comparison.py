"""Two runs that give one class to each text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from bertwright.data.examples import label_of
from bertwright.data.reading.tables import Table
from bertwright.evaluation.calibration import CalibrationScores
from bertwright.evaluation.class_scores import metrics_for
from bertwright.evaluation.paired_tests import mcnemar, paired_bootstrap, rows_needed
from bertwright.evaluation.summary import Answers
from bertwright.tasks.comparison import WORTH_SHOWING, Comparison, DifferingRow
from bertwright.wording import said


@dataclass(frozen=True, slots=True)
class DifferingClass(DifferingRow):
    """A text that the two runs put into different classes.

    Attributes:
        right: which run is right: `A`, `B` or `neither`.
    """

    a: str
    a_score: float
    b: str
    b_score: float
    right: str

    def line(self) -> str:
        return said(
            "true: {gold}  A: {a} ({a_score:.3f})  B: {b} ({b_score:.3f})",
            gold=label_of(self.example), a=self.a, a_score=self.a_score, b=self.b, b_score=self.b_score,
        )  # fmt: skip

    def answers(self) -> dict[str, Any]:
        return {
            "gold": label_of(self.example), "right": self.right,
            "a": self.a, "a_score": round(self.a_score, 6), "b": self.b, "b_score": round(self.b_score, 6),
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class ClassComparison(Comparison):
    """Two runs on the same rows; the p-value of the accuracy is McNemar's, the others are of permutation tests.

    Attributes:
        calibration_a, calibration_b: of the probabilities that each gives.
        both, only_a, only_b, neither: rows by who is right.
    """

    calibration_a: CalibrationScores
    calibration_b: CalibrationScores
    both: int
    only_a: int
    only_b: int
    neither: int

    unit: ClassVar[str] = "row"
    header: ClassVar[tuple[str, ...]] = ("where", "gold", "right", "a", "a_score", "b", "b_score", "text")
    worth: ClassVar[str] = "accuracy"

    @property
    def needed(self) -> int:
        return rows_needed((self.only_a + self.only_b) / max(self.count, 1), WORTH_SHOWING)

    def errors(self) -> dict[str, tuple[float, float]]:
        a, b = self.calibration_a.to_json(), self.calibration_b.to_json()
        return {name: (a[name], b[name]) for name in ("ece", "nll")}

    def tally(self) -> str:
        return said(
            "right: both {both}, only A {only_a}, only B {only_b}, neither {neither}",
            both=self.both, only_a=self.only_a, only_b=self.only_b, neither=self.neither,
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return {
            **super().to_json(),
            "calibration": {"a": self.calibration_a.to_json(), "b": self.calibration_b.to_json()},
            "right": {"both": self.both, "only_a": self.only_a, "only_b": self.only_b, "neither": self.neither},
        }


def compare_classes(a: Answers, b: Answers, table: Table, headline: str = "accuracy") -> ClassComparison:
    """The comparison of answers to the examples of `table`, whose classes are in the same order."""
    metrics = metrics_for(a.labels)
    differences = paired_bootstrap(a.gold, a.predicted, b.predicted, len(a.labels), metrics)
    a_right, b_right = a.right.astype(bool), b.right.astype(bool)
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    for name in ("accuracy", "micro_f1"):
        differences[name] = replace(differences[name], p_value=mcnemar(only_a, only_b))
    rows = [
        DifferingClass(
            table.examples[i], a.labels[a.predicted[i]], float(a.confidence[i]),
            b.labels[b.predicted[i]], float(b.confidence[i]),
            "A" if a_right[i] else "B" if b_right[i] else "neither",
        )
        for i in np.flatnonzero(a.predicted != b.predicted)
    ]  # fmt: skip
    return ClassComparison(
        table=table,
        headline=headline if headline in differences else "accuracy",
        differences=differences,
        rows=rows,
        calibration_a=CalibrationScores.of(a.probabilities, a.gold),
        calibration_b=CalibrationScores.of(b.probabilities, b.gold),
        both=int((a_right & b_right).sum()),
        only_a=only_a,
        only_b=only_b,
        neither=int((~a_right & ~b_right).sum()),
    )
