"""Classification of texts and of pairs of texts.

Shapes: N inputs, K texts, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, Unpack

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from bertwright.data.examples import Example, label_of
from bertwright.data.ragged import Ragged
from bertwright.data.reading.tables import Columns, Table
from bertwright.data.targets import RowTargets, Targets
from bertwright.data.windows import EncodedTexts
from bertwright.errors import BertwrightError, hint
from bertwright.evaluation.calibration import (
    cross_fitted,
    fit_temperature,
    log_probabilities,
    negative_log_likelihood,
    tempered,
)
from bertwright.evaluation.class_scores import Ints, accuracy, confusion_matrix, macro_f1
from bertwright.evaluation.summary import Answers as ClassAnswers
from bertwright.evaluation.summary import summarize
from bertwright.model.models import BertForSequenceClassification, BertWithHead
from bertwright.tasks.class_comparison import ClassComparison, compare_classes
from bertwright.tasks.class_labels import with_classes
from bertwright.tasks.class_remarks import gaps, limits, metrics_note
from bertwright.tasks.judged import Confusion, Judged, Mistakes, Sureness
from bertwright.tasks.prediction import Prediction, answer_row
from bertwright.tasks.task import HowToRead, NoSettings, Task
from bertwright.tasks.task_values import NamedClasses, Temperature
from bertwright.text.tokenizer.inputs import half_of_a_pair
from bertwright.wording import Phrase, shown, worded


class _Values(NamedClasses):
    """What `task.json` says."""

    labels: list[str] = Field(min_length=2)
    temperature: Temperature = 1.0
    reads_pairs: bool | None = None


@dataclass(frozen=True, slots=True)
class ClassPrediction(Prediction):
    """The class of a text.

    Attributes:
        label: the most probable class.
        score: its probability.
        scores: the probability of every class.
    """

    label: str
    score: float
    scores: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "score": round(self.score, 6),
            "scores": {label: round(score, 6) for label, score in self.scores.items()},
            "truncated": self.truncated,
        }


@dataclass(frozen=True)
class Classification(Task[ClassPrediction, NoSettings]):
    """Each text belongs to one of C classes.

    Attributes:
        labels: the names of the classes, in the order of the model's scores.
        temperature: by which scores are divided before they become probabilities; it changes no answer.
        reads_pairs: whether the texts were pairs; None: an older model folder does not say.
    """

    labels: tuple[str, ...]
    temperature: float = 1.0
    reads_pairs: bool | None = None

    name: ClassVar[str] = "classification"
    metric: ClassVar[str] = "accuracy"
    pipeline: ClassVar[str] = "text-classification"
    weighs_classes: ClassVar[bool] = True

    @classmethod
    def recognises(cls, source: Any, encoding: str | None) -> float:
        """A little: what else a table may be, nobody can see."""
        return 0.1

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.labels

    @property
    def output_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.labels

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForSequenceClassification

    @classmethod
    def read(
        cls, source: Any, columns: Columns | None = None, *, known: Collection[str] = (), **how: Unpack[HowToRead]
    ) -> Table:
        """As `read_examples`, with labels that are classes; raises those of it and of `with_classes`."""
        return with_classes(super().read(source, columns, **how), labelled=how["labelled"], known=known)

    @classmethod
    def from_examples(cls, examples: Sequence[Example], source: str) -> Self:
        """The classes are the labels that occur, in alphabetical order (numbers in the order of their size).

        Raises:
            BertwrightError: BW210 a single class, BW211 an example without a label, BW406 one that no file can hold,
                BW581 and BW582 single texts mixed with pairs.
        """
        names = _gold(examples)
        labels = sorted(set(names), key=_in_order)
        for example, name in zip(examples, names):
            if error := half_of_a_pair(name, example.where):
                raise error
        if len(labels) < 2:
            raise BertwrightError("BW210", source=source, count=len(examples), label=labels[0])
        task = cls(tuple(labels), reads_pairs=examples[0].text_b is not None)
        task.check_texts(examples)
        return task

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        told = _Values.of(values)
        return cls(tuple(told.labels), told.temperature, told.reads_pairs)

    def to_json(self) -> dict[str, Any]:
        return {"labels": list(self.labels), "temperature": self.temperature, "reads_pairs": self.reads_pairs}

    def config_changes(self) -> dict[str, Any]:
        return {
            "id2label": dict(enumerate(self.labels)),
            "problem_type": "single_label_classification",
        }

    def check(self, examples: Sequence[Example]) -> None:
        """Every label must be known, and every text a pair or a single one as in training.

        Raises:
            BertwrightError: BW209 an unknown label, BW211 none, BW581, BW582 a pair or none.
        """
        self.check_texts(examples)
        known = set(self.labels)
        for example, label in zip(examples, _gold(examples)):
            if label not in known:
                close = hint(label, self.labels)
                raise BertwrightError(
                    "BW209", where=example.where, label=label, known=shown(self.labels), nearest=close
                )

    def targets(self, examples: Sequence[Example], encoded: EncodedTexts) -> Targets:
        """`[N]` int64: the class of the text that each input is of."""
        classes = self._classes(_gold(examples))
        return RowTargets(torch.from_numpy(classes[encoded.owners]))

    def loss(self, model: BertWithHead, batch: Ragged, targets: Tensor, weights: Tensor) -> dict[str, Tensor]:
        losses = F.cross_entropy(model.scores(batch).float(), targets, reduction="none")
        return {"loss": (losses * weights).sum()}

    def weights(self, examples: Sequence[Example], encoded: EncodedTexts, balance: str) -> NDArray[np.float64]:
        """The windows of a text share its weight: 1, or 1 / frequency of its class (`balanced`), or the square root
        of that (`sqrt`), scaled so that the mean over the texts is 1.
        """
        of_text: NDArray[np.float64] = np.ones(len(examples))
        if balance != "none":
            classes = self._classes(_gold(examples))
            of_text = (1.0 / np.bincount(classes))[classes]
            of_text = np.sqrt(of_text) if balance == "sqrt" else of_text
            of_text = of_text / of_text.mean()
        weights: NDArray[np.float64] = (of_text / encoded.inputs_of)[encoded.owners]
        return weights

    def loss_at_start(self) -> float:
        """ln C"""
        return math.log(len(self.labels))

    def decode(self, scores: Sequence[Tensor], encoded: EncodedTexts) -> list[ClassPrediction]:
        """The scores `[C]` of a text's windows are averaged before the softmax."""
        owners = torch.from_numpy(encoded.owners)
        total = torch.zeros(len(encoded.tokens), len(self.labels), dtype=torch.float64)
        total.index_add_(0, owners, torch.stack(list(scores)).double())
        mean = total / torch.from_numpy(encoded.inputs_of)[:, None]
        rows = (mean / self.temperature).softmax(-1).tolist()
        return [self._decode_one(row, bool(cut)) for row, cut in zip(rows, encoded.tokens_cut)]

    def _decode_one(self, row: list[float], truncated: bool) -> ClassPrediction:
        best = max(range(len(row)), key=row.__getitem__)
        return ClassPrediction(truncated, self.labels[best], row[best], dict(zip(self.labels, row)))

    def score(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> dict[str, float]:
        confusion = self._confusion(predictions, examples)
        return {"accuracy": accuracy(confusion), "macro_f1": macro_f1(confusion)}

    def only_answer(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> str | None:
        given = {one.label for one in predictions}
        return given.pop() if len(given) == 1 < len(set(map(label_of, examples))) else None

    def gaps(self, examples: Sequence[Example]) -> list[Phrase]:
        return gaps(self.labels, np.bincount(self._classes(_gold(examples)), minlength=len(self.labels)))

    def judge(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> Judged:
        """Where the task has no temperature of its own, the calibration says what one would do."""
        answers, temperature = self.arrays(predictions, examples), self.temperature
        summary = summarize(answers) if temperature == 1 else summarize(answers.tempered(1 / temperature), temperature)
        confusion = Confusion(summary.labels, summary.confusion)
        return Judged(
            count=summary.count,
            scores=self.score(predictions, examples),
            metrics=summary.titled_metrics(),
            metrics_note=metrics_note(summary),
            confusion=confusion,
            calibration=summary.calibration,
            sureness=Sureness(answers.confidence, answers.right),
            figures={"confusion.png": confusion, "reliability.png": summary.calibration},
            limits=limits(summary),
            details=summary.to_json(),
        )

    def mistakes(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> Mistakes:
        """The wrong answers, the most confident first."""
        answers = self.arrays(predictions, examples)
        has_pairs = any(example.text_b is not None for example in examples)
        header = ["where", "gold", "predicted", "score", "gold_score", "truncated", "text"]
        chosen = answers.most_confident_errors()
        cells = []
        for index in chosen:
            example, one = examples[index], predictions[index]
            gold = answers.probabilities[index, answers.gold[index]]
            row = [str(example.where), label_of(example) or "", one.label, f"{one.score:.6f}", f"{gold:.6f}"]
            cells.append(
                [*row, worded("yes" if one.truncated else "no"), example.text, *([example.text_b or ""] * has_pairs)]
            )
        rows = [answer_row(examples[index], predictions[index]) for index in chosen]
        return Mistakes(rows, [*header, *(["text_b"] * has_pairs)], cells)

    def calibrated(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> Self:
        """With the temperature that fits these answers, where each half of them is better off with that of the other.

        Source: Guo et al. 2017, section 4.2.
        """
        answers = self.arrays(predictions, examples)
        probabilities, gold = answers.probabilities, answers.gold
        promised = negative_log_likelihood(cross_fitted(probabilities, gold), gold)
        if promised >= negative_log_likelihood(probabilities, gold):
            return self
        fitted = fit_temperature(log_probabilities(probabilities), gold)
        return replace(self, temperature=self.temperature * fitted)

    def untempered(self) -> Self:
        return replace(self, temperature=1.0)

    def tempered(self, predictions: Sequence[ClassPrediction]) -> list[ClassPrediction]:
        """The classes stay, only how sure they are changes."""
        return [_tempered(one, self.temperature) for one in predictions] if self.temperature != 1 else [*predictions]

    @property
    def question(self) -> tuple[str, frozenset[Hashable]]:
        return "classes", frozenset(self.labels)

    def compare(self, a: Sequence[ClassPrediction], b: Sequence[ClassPrediction], table: Table) -> ClassComparison:
        examples = table.examples
        return compare_classes(self.arrays(a, examples), self.arrays(b, examples), table, self.metric)

    def arrays(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> ClassAnswers:
        """Answers and gold as arrays, to be scored."""
        return ClassAnswers.of(
            self.labels, _gold(examples), [one.label for one in predictions], [one.scores for one in predictions]
        )

    def _confusion(self, predictions: Sequence[ClassPrediction], examples: Sequence[Example]) -> Ints:
        """`[C, C]` counts: rows are the true classes, columns the predicted ones."""
        predicted = self._classes([one.label for one in predictions])
        return confusion_matrix(self._classes(_gold(examples)), predicted, len(self.labels))

    def _classes(self, labels: Sequence[str]) -> Ints:
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[label] for label in labels], dtype=np.int64)


def _gold(examples: Sequence[Example]) -> list[str]:
    """The label of every example; raises BW211 where one has none."""
    labels = []
    for example in examples:
        label = label_of(example)
        if not label:
            raise BertwrightError("BW211", where=example.where)
        labels.append(label)
    return labels


def _tempered(prediction: ClassPrediction, temperature: float) -> ClassPrediction:
    row = tempered(np.array([list(prediction.scores.values())]), temperature)[0].tolist()
    scores = dict(zip(prediction.scores, row))
    return replace(prediction, score=scores[prediction.label], scores=scores)


def _in_order(label: str) -> tuple[float, str]:
    try:
        number = float(label)
    except ValueError:
        number = math.inf
    # The word 'nan' reads as a number that has no place in any order: sorted, it would stand elsewhere in every run.
    return math.inf if math.isnan(number) else number, label
