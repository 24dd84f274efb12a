"""A number for each text or pair of texts, such as how alike two sentences are.

Shapes: N inputs, K texts, B inputs of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, Unpack

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from bertwright.data.answers import Answer
from bertwright.data.examples import Example, label_of
from bertwright.data.ragged import Ragged
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.targets import RowTargets, Targets
from bertwright.data.windows import EncodedTexts
from bertwright.errors import BertwrightError
from bertwright.evaluation.class_scores import Floats
from bertwright.evaluation.correlation import number_estimates, number_scores, sums_by_metric
from bertwright.evaluation.paired_tests import Difference, paired_bootstrap_of_sums, resampling_units_needed
from bertwright.model.models import BertForSequenceClassification, BertWithHead
from bertwright.tasks.comparison import WORTH_SHOWING, Comparison, DifferingRow
from bertwright.tasks.judged import Judged, Mistakes, Scatter, ScoreTable
from bertwright.tasks.prediction import Prediction, answer_row
from bertwright.tasks.task import HowToRead, NoSettings, Task
from bertwright.tasks.task_values import TaskValues
from bertwright.wording import Phrase, said, worded

_TITLES = {"mse": "mean squared error", "pearson": "Pearson's r", "spearman": "Spearman's rho"}
_COLUMNS = ("", "least", "mean", "largest", "standard deviation")
_COLLAPSED = 0.01  # of the spread of the true values


@dataclass(frozen=True, slots=True)
class Value(Answer):
    """A number."""

    number: float

    noun: ClassVar[str] = "value"

    def digest_parts(self) -> tuple[object, ...]:
        return (self.number,)

    def fields(self) -> dict[str, Any]:
        return {"value": self.number}

    def to_json(self, text: str) -> float:
        return self.number

    def heading(self) -> str:
        return said("of the value {number:g}", number=self.number)

    @classmethod
    def profile(cls, answers: Sequence[Value]) -> list[str]:
        values = np.array([one.number for one in answers])
        low, middle, high = np.quantile(values, [0, 0.5, 1])
        return [
            said("values from {low:g} to {high:g}, median {middle:g}, mean {mean:.4g} ± {spread:.4g}", low=low,
                 high=high, middle=middle, mean=values.mean(), spread=values.std())
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValuePrediction(Prediction):
    """The number for a text."""

    value: float

    def to_json(self) -> dict[str, Any]:
        return {"value": round(self.value, 6), "truncated": self.truncated}


class _Values(TaskValues):
    """What `task.json` says."""

    mean: float
    spread: float = Field(gt=0)
    reads_pairs: bool


@dataclass(frozen=True)
class Regression(Task[ValuePrediction, NoSettings]):
    """Each text has a number. The model learns numbers of mean 0 and spread 1, whatever unit they come in.

    Attributes:
        mean, spread: of the training values; an output of the model is times `spread` plus `mean` the answer.
        reads_pairs: whether the texts were pairs.
    """

    mean: float
    spread: float
    reads_pairs: bool | None = None

    name: ClassVar[str] = "regression"
    metric: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False
    pipeline: ClassVar[str] = "text-classification"
    collapse_causes: ClassVar[str] = "too few steps, or values that do not belong to their texts"

    @property
    def pipeline_note(self) -> str:  # type: ignore[override]
        return "\n\n" + said("Its score is times {spread:.6g} plus {mean:.6g} the value.", spread=self.spread,
                              mean=self.mean)  # fmt: skip

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForSequenceClassification

    @classmethod
    def read(
        cls, source: Any, columns: Columns | None = None, *, known: Collection[str] = (), **how: Unpack[HowToRead]
    ) -> Table:
        """As any texts, whose labels are numbers.

        Raises:
            BertwrightError: BW213 a label that is none, and those of `read_examples`.
        """
        table = super().read(source, columns, **how)
        return replace(table, examples=[_with_value(example) for example in table.examples])

    @classmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """Mean and spread are those of the values.

        Raises:
            BertwrightError: BW211 an example without a value, BW214 values that are all the same, BW581 and BW582
                single texts mixed with pairs.
        """
        values = _gold(examples)
        spread = float(values.std())
        if not spread > 0:
            raise BertwrightError("BW214", source=source, count=len(values), value=f"{values[0]:g}")
        task = cls(float(values.mean()), spread, examples[0].text_b is not None)
        task.check_texts(examples)
        return task

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        told = _Values.of(values)
        return cls(told.mean, told.spread, told.reads_pairs)

    def to_json(self) -> dict[str, Any]:
        return {"mean": self.mean, "spread": self.spread, "reads_pairs": self.reads_pairs}

    def config_changes(self) -> dict[str, Any]:
        return {"id2label": {0: "value"}, "problem_type": "regression"}

    def check(self, examples: Sequence[Example]) -> None:
        """Every text must have a value, and be a pair or a single one as in training.

        Raises:
            BertwrightError: BW211 no value, BW581, BW582 a pair or none.
        """
        self.check_texts(examples)
        _gold(examples)

    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """`[N]` fp32: the value of the text that each input is of, in units of the spread around the mean."""
        scaled = ((_gold(examples) - self.mean) / self.spread).astype(np.float32)
        return RowTargets(torch.from_numpy(scaled[encoded.owners]))

    def loss(self, model: BertWithHead, batch: Ragged, targets: Tensor, weights: Tensor) -> dict[str, Tensor]:
        """Squared error, in units of the variance of the training values."""
        return {"loss": ((model.scores(batch).float().squeeze(-1) - targets).square() * weights).sum()}

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[ValuePrediction]:
        """The outputs of a text's windows are averaged."""
        sums = np.bincount(encoded.owners, torch.cat([*scores]).double().numpy(), minlength=len(encoded.tokens))
        values = self.mean + self.spread * sums / encoded.inputs_of
        return [ValuePrediction(bool(cut), float(value)) for value, cut in zip(values, encoded.tokens_cut)]

    def score(self, predictions: Sequence[ValuePrediction], examples: Sequence[Example]) -> dict[str, float]:
        return number_scores(_gold(examples), _values(predictions))

    def only_answer(self, predictions: Sequence[ValuePrediction], examples: Sequence[Example]) -> str | None:
        given = _values(predictions)
        return f"{given.mean():.4g}" if given.std() < _COLLAPSED * _gold(examples).std() else None

    def judge(self, predictions: Sequence[ValuePrediction], examples: Sequence[Example]) -> Judged:
        gold, given = _gold(examples), _values(predictions)
        estimates = number_estimates(gold, given)
        rows = tuple(
            (worded(name), *(f"{figure:.4f}" for figure in (values.min(), values.mean(), values.max(), values.std())))
            for name, values in (("true", gold), ("predicted", given))
        )
        return Judged(
            count=len(examples),
            scores=self.score(predictions, examples),
            metrics={worded(_TITLES[name]): one for name, one in estimates.items()},
            metrics_note=said("The intervals come from resampling the texts."),
            tables=[ScoreTable(said("Values"), tuple(map(worded, _COLUMNS)), rows)],
            figures={"scatter.png": Scatter(_title(len(gold)), gold, given)},
            limits=[
                said(
                    "It learnt values around {mean:.4g}, most within ± {reach:.4g} of that.",
                    mean=self.mean,
                    reach=2 * self.spread,
                )
            ],
            details={"metrics": {name: one.to_json() for name, one in estimates.items()}},
        )

    def mistakes(self, predictions: Sequence[ValuePrediction], examples: Sequence[Example]) -> Mistakes:
        """Every text, the one whose answer is farthest from the truth first."""
        errors = _values(predictions) - _gold(examples)
        rows = []
        for index in np.argsort(-np.abs(errors), kind="stable").tolist():
            row = answer_row(examples[index], predictions[index])
            predicted = row.pop("value")
            rows.append({**row, "predicted": predicted, "error": float(errors[index])})
        return Mistakes.of(rows, ("where", "text", "gold", "truncated", "predicted", "error"))

    @property
    def question(self) -> tuple[str, frozenset[Hashable]]:
        return "values", frozenset()

    def compare(self, a: Sequence[ValuePrediction], b: Sequence[ValuePrediction], table: Table) -> ValueComparison:
        gold = _gold(table.examples)
        given = [_values(one) for one in (a, b)]
        sums = [sums_by_metric(gold, values) for values in given]
        differences: dict[str, Difference] = {}
        for name in ("pearson", "spearman"):
            (of_a, score), (of_b, _) = sums[0][name], sums[1][name]
            differences |= paired_bootstrap_of_sums(of_a, of_b, {name: score})
        errors = [np.abs(values - gold) for values in given]
        order = np.argsort(-np.abs(errors[0] - errors[1]), kind="stable")
        rows = [
            DifferingValue(table.examples[i], float(gold[i]), float(given[0][i]), float(given[1][i]))
            for i in order.tolist() if given[0][i] != given[1][i]
        ]  # fmt: skip
        closer = int((errors[0] < errors[1]).sum()), int((errors[1] < errors[0]).sum())
        mse = float((errors[0] ** 2).mean()), float((errors[1] ** 2).mean())
        return ValueComparison(table, "pearson", differences, rows, mse, closer)


@dataclass(frozen=True, slots=True)
class DifferingValue(DifferingRow):
    """A text for which the two runs give different numbers."""

    gold: float
    a: float
    b: float

    def line(self) -> str:
        return said("true: {gold:g}  A: {a:.4f}  B: {b:.4f}", gold=self.gold, a=self.a, b=self.b)

    def answers(self) -> dict[str, Any]:
        return {"gold": self.gold, "a": self.a, "b": self.b}


@dataclass(frozen=True, repr=False)
class ValueComparison(Comparison):
    """Two runs on the same texts; the rows begin with those in which one is much closer to the truth.

    Attributes:
        mse: of A and B.
        closer: in how many rows A is closer, and B.
    """

    mse: tuple[float, float]
    closer: tuple[int, int]

    unit: ClassVar[str] = "row"
    header: ClassVar[tuple[str, ...]] = ("where", "gold", "a", "b", "text")
    worth: ClassVar[str] = "Pearson's r"

    @property
    def needed(self) -> int:
        return resampling_units_needed(self.differences[self.headline], self.count, WORTH_SHOWING)

    def errors(self) -> dict[str, tuple[float, float]]:
        return {"mse": self.mse}

    def tally(self) -> str:
        a, b = self.closer
        return said(
            "closer to the true value: A in {a}, B in {b}, equally close {same}", a=a, b=b, same=self.count - a - b
        )

    def to_json(self) -> dict[str, Any]:
        a, b = self.closer
        beside = {"mse": {"a": self.mse[0], "b": self.mse[1]}, "closer": {"a": a, "b": b}}
        return {**super().to_json(), **beside}


def _title(count: int) -> Phrase:
    return Phrase("1 text") if count == 1 else Phrase("{count:,} texts", count=count)


def _with_value(example: Example) -> Example:
    label = label_of(example)
    if label is None:
        return example
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BertwrightError("BW213", where=example.where, label=label)
    return replace(example, answer=Value(number))


def _gold(examples: Sequence[Example]) -> Floats:
    """`[K]` true values; raises BW211 where one has none."""
    values = []
    for example in examples:
        if not isinstance(example.answer, Value):
            raise BertwrightError("BW211", where=example.where)
        values.append(example.answer.number)
    return np.array(values, dtype=np.float64)


def _values(predictions: Sequence[ValuePrediction]) -> Floats:
    return np.array([one.value for one in predictions], dtype=np.float64)
