"""Scores of a classifier: accuracy, precision, recall, F1 and the confusion matrix.

Shapes: N examples, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def confusion_matrix(gold: Ints, predicted: Ints, num_classes: int) -> Ints:
    """`[C, C]` counts: rows are the true classes, columns the predicted ones. `gold` and `predicted` are `[N]`."""
    flat = np.bincount(gold * num_classes + predicted, minlength=num_classes * num_classes)
    return flat.reshape(num_classes, num_classes)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Precision, recall and F1 of each class, `[C]` each; 0 where a class was never predicted or never there."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Ints


def class_scores(confusion: Ints) -> ClassScores:
    """The scores of each class of a `[C, C]` confusion matrix."""
    hits = np.diag(confusion).astype(np.float64)
    predicted, support = confusion.sum(0), confusion.sum(1)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(predicted + support, 1)
    return ClassScores(precision, recall, f1, support)


def accuracy(confusion: Ints) -> float:
    """The share of examples on the diagonal."""
    return float(np.trace(confusion) / max(confusion.sum(), 1))


def macro_f1(confusion: Ints) -> float:
    """The unweighted mean of F1 over the classes that occur, in the data or among the predictions."""
    occurs = (confusion.sum(0) + confusion.sum(1)) > 0
    f1 = class_scores(confusion).f1[occurs]
    return float(f1.mean()) if len(f1) else 0.0
