"""Everything that one set of answers to labelled examples tells about a classifier.

Shapes: N examples, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertwright.evaluation.calibration import (
    CalibrationScores,
    ReliabilityTable,
    cross_fitted,
    fit_temperature,
    log_probabilities,
    reliability_table,
    tempered,
    top_label,
)
from bertwright.evaluation.class_scores import (
    ClassScores,
    Floats,
    Ints,
    class_scores,
    confusion_matrix,
    meaningless_metrics,
    metrics_for,
    positive_class,
)
from bertwright.evaluation.confidence import Estimate, bootstrap_metrics, wilson_interval
from bertwright.evaluation.ranking import average_precision, bootstrap_ranking, roc_auc
from bertwright.wording import said, worded


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers and gold as arrays.

    Attributes:
        labels: the names of the classes.
        gold: `[N]` classes.
        predicted: `[N]` classes.
        probabilities: `[N, C]`, rows that sum to 1.
    """

    labels: tuple[str, ...]
    gold: Ints
    predicted: Ints
    probabilities: Floats

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        gold: Sequence[str],
        predicted: Sequence[str],
        scores: Sequence[Mapping[str, float]],
    ) -> Answers:
        """From names: the true label, the predicted label and the score of every label, one of each an example."""
        index = {label: i for i, label in enumerate(labels)}
        rows = np.array([[row[label] for label in labels] for row in scores], dtype=np.float64)
        return cls(
            tuple(labels),
            np.array([index[label] for label in gold], dtype=np.int64),
            np.array([index[label] for label in predicted], dtype=np.int64),
            rows.reshape(len(gold), len(labels)),
        )

    @property
    def right(self) -> Ints:
        """`[N]` 1 where the answer is right, else 0."""
        return np.asarray(self.gold == self.predicted, dtype=np.int64)

    @property
    def confidence(self) -> Floats:
        """`[N]` the probability of the answer."""
        return self.probabilities[np.arange(len(self.gold)), self.predicted]

    def tempered(self, temperature: float) -> Answers:
        """The same answers with other probabilities."""
        return Answers(self.labels, self.gold, self.predicted, tempered(self.probabilities, temperature))

    def most_confident_errors(self) -> list[int]:
        """The indices of the wrong answers, the most confident first."""
        order = np.argsort(-self.confidence, kind="stable")
        return [int(index) for index in order if self.gold[index] != self.predicted[index]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the probabilities are worth.

    Attributes:
        temperature: by which they were divided (as logarithms).
        is_fitted_here: whether the temperature comes from these very examples, and `after` from halves of them,
            each half with the temperature of the other.
        before: as the model gives them, at temperature 1.
        after: with the temperature.
        table_before, table: confidence against accuracy, before and after.
    """

    temperature: float
    is_fitted_here: bool
    before: CalibrationScores
    after: CalibrationScores
    table_before: ReliabilityTable
    table: ReliabilityTable

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "temperature": self.temperature,
            "temperature_from": "these examples, cross-fitted" if self.is_fitted_here else "the run",
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "bins": [
                {"above": float(low), "up_to": float(high), "count": int(count), "confidence": sure, "accuracy": right}
                for low, high, count, sure, right in zip(
                    self.table.edges, self.table.edges[1:], self.table.counts, self.table.confidence.tolist(),
                    self.table.accuracy.tolist(),
                )
                if count
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Summary:
    """The scores of a set of answers.

    Attributes:
        labels: the names of the classes.
        count: examples.
        positive: the class that `metrics["f1"]` and `metrics["average_precision"]` are about; None where there are
            no such metrics.
        metrics: each with its 95 % interval (accuracy: Wilson; the others: bootstrap over the examples).
        confusion: `[C, C]` counts, rows are the true classes.
        classes: precision, recall and F1 of each class.
        calibration: of the probabilities.
    """

    labels: tuple[str, ...]
    count: int
    positive: str | None
    metrics: dict[str, Estimate]
    confusion: Ints
    classes: ClassScores
    calibration: Calibration

    def titled_metrics(self) -> dict[str, Estimate]:
        """The metrics for people to read, by what they are called; without `micro_f1`, which equals the accuracy."""
        titles = {
            "f1": said("F1 of '{name}'", name=self.positive),
            "roc_auc": "ROC AUC",
            "average_precision": said("average precision of '{name}'", name=self.positive),
        }
        return {titles.get(name) or worded(name): one for name, one in self.metrics.items() if name != "micro_f1"}

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        rows = zip(self.labels, *(getattr(self.classes, name).tolist() for name in self.classes.__slots__))
        return {
            "metrics": {name: estimate.to_json() for name, estimate in self.metrics.items()},
            "meaningless_metrics": list(meaningless_metrics(self.labels, self.classes.support)),
            "classes_without_examples": [
                name for name, support in zip(self.labels, self.classes.support) if not support
            ],
            "positive_class": self.positive,
            "calibration": self.calibration.to_json(),
            "classes": [dict(zip(("label", *self.classes.__slots__), row)) for row in rows],
            "confusion": {"labels": list(self.labels), "rows_true_columns_predicted": self.confusion.tolist()},
        }


def summarize(answers: Answers, temperature: float | None = None) -> Summary:
    """All scores of `answers`, whose probabilities are those at temperature 1.

    Args:
        temperature: the one that the run has; None: fit one here, to say what it would do.
    """
    count, classes = len(answers.gold), len(answers.labels)
    confusion = confusion_matrix(answers.gold, answers.predicted, classes)
    metrics = bootstrap_metrics(answers.gold, answers.predicted, classes, metrics_for(answers.labels))
    right = int(answers.right.sum())
    share = Estimate(right / max(count, 1), *wilson_interval(right, count))
    positive = positive_class(answers.labels)
    return Summary(
        labels=answers.labels,
        count=count,
        positive=None if positive is None else answers.labels[positive],
        metrics=metrics | {"accuracy": share, "micro_f1": share} | rank(answers),
        confusion=confusion,
        classes=class_scores(confusion),
        calibration=calibrate(answers, temperature),
    )


def rank(answers: Answers) -> dict[str, Estimate]:
    """Of two classes: how well the probabilities tell them apart at any threshold; nothing where only one occurs.

    `roc_auc` is the same for either class; `average_precision` is that of the positive one, where there is one.
    """
    if len(answers.labels) != 2:
        return {}
    positive = positive_class(answers.labels)
    side = 1 if positive is None else positive
    logs = log_probabilities(answers.probabilities)  # their difference still differs where probabilities round to 1
    metrics = {"roc_auc": roc_auc} if positive is None else {"roc_auc": roc_auc, "average_precision": average_precision}
    return bootstrap_ranking(logs[:, side] - logs[:, 1 - side], answers.gold == side, metrics)


def calibrate(answers: Answers, temperature: float | None = None) -> Calibration:
    """The calibration of `answers`, whose probabilities are those at temperature 1; see `summarize`."""
    before = answers.probabilities
    is_fitted_here = temperature is None
    if temperature is None:
        temperature = fit_temperature(log_probabilities(before), answers.gold)
        after = cross_fitted(before, answers.gold)
    else:
        after = tempered(before, temperature)
    return Calibration(
        temperature,
        is_fitted_here,
        CalibrationScores.of(before, answers.gold),
        CalibrationScores.of(after, answers.gold),
        reliability_table(*top_label(before, answers.gold)),
        reliability_table(*top_label(after, answers.gold)),
    )
