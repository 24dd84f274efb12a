"""Scores of a classifier: accuracy, precision, recall, F1s, Matthews' coefficient and the confusion matrix.

Shapes: N examples, C classes. Every metric is a function of a `Tally`, whose leading axes (such as resamples of the
data) it keeps, so that a thousand confusion matrices are scored in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_NO_AND_YES = (
    ("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("neg", "pos"),
    ("negative", "positive"), ("incorrect", "correct"), ("unacceptable", "acceptable"), ("unrelated", "related"),
    ("irrelevant", "relevant"), ("ham", "spam"), ("否", "是"), ("假", "真"), ("负", "正"), ("负面", "正面"),
    ("负向", "正向"), ("消极", "积极"), ("差评", "好评"),
)  # fmt: skip
_NEGATIONS = ("not_", "not-", "not ", "non_", "non-", "no_", "no ", "非", "不")


def confusion_matrix(gold: Ints, predicted: Ints, num_classes: int) -> Ints:
    """`[C, C]` counts: rows are the true classes, columns the predicted ones. `gold` and `predicted` are `[N]`."""
    flat = np.bincount(gold * num_classes + predicted, minlength=num_classes * num_classes)
    return flat.reshape(num_classes, num_classes)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a confusion matrix says of each class, which is all that the metrics need.

    Attributes:
        hits: `[..., C]` examples of the class that were answered with it.
        support: `[..., C]` examples of the class.
        predicted: `[..., C]` examples that were answered with the class.
    """

    hits: Ints
    support: Ints
    predicted: Ints

    @classmethod
    def of(cls, confusion: Ints) -> Tally:
        """The tally of `[..., C, C]` confusion matrices."""
        return cls(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1), confusion.sum(-2))

    def __add__(self, other: Tally) -> Tally:
        """The tally of the examples of both."""
        return Tally(self.hits + other.hits, self.support + other.support, self.predicted + other.predicted)

    def __sub__(self, other: Tally) -> Tally:
        """The tally without the examples of the other."""
        return Tally(self.hits - other.hits, self.support - other.support, self.predicted - other.predicted)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Precision, recall and F1 of each class, `[..., C]` each; 0 where a class was never predicted or never there."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Ints


def _share(part: NDArray[Any], whole: Ints) -> Floats:
    """Elementwise `part / whole`; 0 for an empty whole."""
    return np.asarray(part / np.maximum(whole, 1), dtype=np.float64)


def class_scores(confusion: Ints | Tally) -> ClassScores:
    """The scores of each class, of `[..., C, C]` confusion matrices or their tally."""
    tally = confusion if isinstance(confusion, Tally) else Tally.of(confusion)
    precision, recall = _share(tally.hits, tally.predicted), _share(tally.hits, tally.support)
    return ClassScores(precision, recall, _share(2 * tally.hits, tally.predicted + tally.support), tally.support)


def _accuracy(tally: Tally) -> Floats:
    return _share(tally.hits.sum(-1), tally.support.sum(-1))


def _macro_f1(tally: Tally) -> Floats:
    scores = class_scores(tally)
    occurs = (scores.support + tally.predicted) > 0
    return _share((scores.f1 * occurs).sum(-1), occurs.sum(-1))


def _weighted_f1(tally: Tally) -> Floats:
    scores = class_scores(tally)
    return _share((scores.f1 * scores.support).sum(-1), scores.support.sum(-1))


def _matthews(tally: Tally) -> Floats:
    """-1 to 1; 0 where all examples or all answers are of one class.

    Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient", equation 8.
    """
    hits, support, predicted = (part.astype(np.float64) for part in (tally.hits, tally.support, tally.predicted))
    total = support.sum(-1)
    covariance = hits.sum(-1) * total - (support * predicted).sum(-1)
    spread = (total**2 - (support**2).sum(-1)) * (total**2 - (predicted**2).sum(-1))
    return np.where(spread > 0, covariance / np.sqrt(np.where(spread > 0, spread, 1)), 0.0)


METRICS: dict[str, Callable[[Tally], Floats]] = {
    "accuracy": _accuracy,
    "macro_f1": _macro_f1,
    "weighted_f1": _weighted_f1,
    "micro_f1": _accuracy,  # with one class for each example every wrong answer is one miss and one false alarm
    "mcc": _matthews,
}


def metrics_for(labels: Sequence[str]) -> dict[str, Callable[[Tally], Floats]]:
    """The metrics that make sense for these classes, `[...]` for a tally `[..., C]`; the headline first.

    Of two classes of which one is plainly the positive one, `f1` is the F1 of that class.
    """
    positive = positive_class(labels)
    if positive is None:
        return dict(METRICS)

    def f1(tally: Tally) -> Floats:
        return class_scores(tally).f1[..., positive]

    return METRICS | {"f1": f1}


def meaningless_metrics(labels: Sequence[str], support: Ints) -> tuple[str, ...]:
    """The metrics that say nothing where all examples `[C]` are of one class: all but the accuracy.

    Precision is then 1 or 0 by construction, and Matthews' coefficient 0 whatever is answered.
    """
    if np.count_nonzero(support) != 1:
        return ()
    return tuple(name for name in metrics_for(labels) if METRICS.get(name) is not _accuracy)


def positive_class(labels: Sequence[str]) -> int | None:
    """The index of the class that a single F1 is about, where the names of two classes leave no doubt; else None."""
    if len(labels) != 2:
        return None
    names = [label.strip().lower() for label in labels]
    for yes in (0, 1):
        no_name, yes_name = names[1 - yes], names[yes]
        if (no_name, yes_name) in _NO_AND_YES or no_name in {prefix + yes_name for prefix in _NEGATIONS}:
            return yes
    return None


def accuracy(confusion: Ints) -> float:
    """The share of examples on the diagonal."""
    return float(_accuracy(Tally.of(confusion)))


def macro_f1(confusion: Ints) -> float:
    """The unweighted mean of F1 over the classes that occur, in the data or among the predictions."""
    return float(_macro_f1(Tally.of(confusion)))


def top_confusions(confusion: Ints, limit: int) -> list[tuple[int, int, int]]:
    """`(true class, predicted class, count)` of the most frequent mistakes, the most frequent first."""
    wrong = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(index), len(confusion)) for index in order]
    return [(true, said, int(wrong[true, said])) for true, said in pairs if wrong[true, said] > 0]
