"""Is run B better than run A? Both on the same data, with a paired test and the rows where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bertwright.data.examples import Example
from bertwright.data.sources import read_examples
from bertwright.data.tables import Columns, Table
from bertwright.errors import BertwrightError, shown
from bertwright.evaluation.calibration import CalibrationScores
from bertwright.evaluation.classification import metrics_for
from bertwright.evaluation.comparison import Difference, mcnemar, paired_bootstrap, rows_needed
from bertwright.evaluation.summary import Answers
from bertwright.inference.predictor import Predictor
from bertwright.tasks.classification import Classification
from bertwright.training.answers import answers_of, spreadsheet_csv

WORTH_SHOWING = 0.01  # one point: the difference for which the verdict says how many rows it takes


@dataclass(frozen=True, slots=True)
class DifferingRow:
    """An example that the two runs answer differently.

    Attributes:
        right: which run is right: `A`, `B` or `neither`.
    """

    example: Example
    a: str
    a_score: float
    b: str
    b_score: float
    right: str

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        example = self.example
        texts = {"text": example.text} | ({} if example.text_b is None else {"text_b": example.text_b})
        return {
            "where": str(example.where), "gold": example.label, "right": self.right,
            "a": self.a, "a_score": round(self.a_score, 6), "b": self.b, "b_score": round(self.b_score, 6), **texts,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on the same rows.

    Attributes:
        table: the data.
        headline: the metric that the verdict is about.
        differences: of each metric; the p-value of the accuracy is McNemar's, the others are bootstrapped.
        calibration_a, calibration_b: of the probabilities that each gives.
        both, only_a, only_b, neither: rows by who is right.
        rows: where the answers differ, in the order of the data.
    """

    table: Table
    headline: str
    differences: dict[str, Difference]
    calibration_a: CalibrationScores
    calibration_b: CalibrationScores
    both: int
    only_a: int
    only_b: int
    neither: int
    rows: Sequence[DifferingRow]

    @property
    def count(self) -> int:
        """Rows of the data."""
        return len(self.table.examples)

    @property
    def rows_needed(self) -> int:
        """About how many rows it takes to show a difference of one point in accuracy between two such runs."""
        return rows_needed((self.only_a + self.only_b) / max(self.count, 1), WORTH_SHOWING)

    def verdict(self) -> str:
        """One plain sentence."""
        found = self.differences[self.headline]
        name = "" if self.headline == "accuracy" else f" {self.headline}"
        if not self.rows:
            return f"no difference: both give the same answer to each of the {self.count} rows"
        if found.is_shown:
            better, sign = ("B", 1) if found.value > 0 else ("A", -1)
            low, high = sorted((sign * found.low, sign * found.high))
            return f"{better} is better: {_points(abs(found.value), low, high)}{name}, {p_text(found.p_value)}"
        text = (
            f"no difference can be shown with {self.count} rows "
            f"(B - A: {_points(found.value, found.low, found.high)}{name}, {p_text(found.p_value)})"
        )
        if self.rows_needed > self.count:
            return f"{text}; about {_rounded(self.rows_needed):,} rows would be needed to show 1 point of accuracy"
        return f"{text}; in so many rows a difference of 1 point of accuracy would probably have been seen"

    def to_json(self) -> dict[str, Any]:
        """Everything, as a JSON object."""
        return {
            "data": self.table.source,
            "examples": self.count,
            "verdict": self.verdict(),
            "headline": self.headline,
            "metrics": {name: difference.to_json() for name, difference in self.differences.items()},
            "calibration": {"a": self.calibration_a.to_json(), "b": self.calibration_b.to_json()},
            "right": {"both": self.both, "only_a": self.only_a, "only_b": self.only_b, "neither": self.neither},
            "rows_needed_for_one_point": self.rows_needed,
            "rows": [row.to_json() for row in self.rows],
        }

    def to_csv(self) -> str:
        """The rows where the answers differ, for a spreadsheet."""
        rows = [row.to_json() for row in self.rows]
        has_pairs = any("text_b" in row for row in rows)
        header = ["where", "gold", "right", "a", "a_score", "b", "b_score", "text", *(["text_b"] if has_pairs else [])]
        return spreadsheet_csv(header, [[str(row.get(name, "")) for name in header] for row in rows])


def compare(
    run_a: str | Path,
    run_b: str | Path,
    data: Any,
    *,
    columns: Columns | None = None,
    encoding: str | None = None,
    device: str = "cpu",
) -> Comparison:
    """Both runs on the same labelled data.

    Raises:
        BertwrightError: BW520 runs with different labels, BW521 a task without classes, and those of `evaluate`.
    """
    predictors = [Predictor.load(run, device) for run in (run_a, run_b)]
    task = _shared_task(predictors, (run_a, run_b))
    table = read_examples(data, columns, labelled=True, encoding=encoding, name="data")
    task.check(table.examples)
    a, b = (answers_of(task, predictor.answer(table.examples), table.examples) for predictor in predictors)
    assert a is not None
    assert b is not None
    return compare_answers(a, b, table, task.metric)


def compare_answers(a: Answers, b: Answers, table: Table, headline: str = "accuracy") -> Comparison:
    """The comparison of answers to the examples of `table`, whose classes are in the same order."""
    metrics = metrics_for(a.labels)
    differences = paired_bootstrap(a.gold, a.predicted, b.predicted, len(a.labels), metrics)
    a_right, b_right = a.right.astype(bool), b.right.astype(bool)
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    for name in ("accuracy", "micro_f1"):
        differences[name] = replace(differences[name], p_value=mcnemar(only_a, only_b))
    rows = [
        DifferingRow(
            table.examples[i], a.labels[a.predicted[i]], float(a.confidence[i]),
            b.labels[b.predicted[i]], float(b.confidence[i]),
            "A" if a_right[i] else "B" if b_right[i] else "neither",
        )
        for i in np.flatnonzero(a.predicted != b.predicted)
    ]  # fmt: skip
    return Comparison(
        table=table,
        headline=headline if headline in differences else "accuracy",
        differences=differences,
        calibration_a=CalibrationScores.of(a.probabilities, a.gold),
        calibration_b=CalibrationScores.of(b.probabilities, b.gold),
        both=int((a_right & b_right).sum()),
        only_a=only_a,
        only_b=only_b,
        neither=int((~a_right & ~b_right).sum()),
        rows=rows,
    )


def _shared_task(predictors: Sequence[Predictor], runs: Sequence[str | Path]) -> Classification:
    """The task of the first run, if the second answers the same question."""
    labels: list[set[str]] = []
    for predictor in predictors:
        if not isinstance(predictor.task, Classification):
            raise BertwrightError("BW521", task=predictor.task.name)
        labels.append(set(predictor.task.labels))
    if labels[0] != labels[1]:
        only = [shown(sorted(labels[i] - labels[1 - i])) or "–" for i in (0, 1)]
        raise BertwrightError("BW520", a=runs[0], b=runs[1], only_a=only[0], only_b=only[1])
    assert isinstance(predictors[0].task, Classification)
    return predictors[0].task


def p_text(p_value: float) -> str:
    """`p = 0.008`, or `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _points(value: float, low: float, high: float) -> str:
    return f"{100 * value:+.1f} points [{100 * low:.1f}, {100 * high:.1f}]"


def _rounded(number: int) -> int:
    """Two digits are all that such an estimate is worth."""
    scale = int(10 ** max(len(str(number)) - 2, 0))
    return -(-number // scale) * scale
