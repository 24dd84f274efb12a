"""Scores against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from bertwright.evaluation.classification import accuracy, class_scores, confusion_matrix, macro_f1


@pytest.mark.parametrize("seed", range(30))
def test_equal_to_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 8))
    count = int(rng.integers(1, 60))
    gold, predicted = rng.integers(classes, size=(2, count))
    confusion = confusion_matrix(gold, predicted, classes)
    labels = range(classes)
    assert np.array_equal(confusion, metrics.confusion_matrix(gold, predicted, labels=labels))
    assert accuracy(confusion) == pytest.approx(metrics.accuracy_score(gold, predicted))
    assert macro_f1(confusion) == pytest.approx(metrics.f1_score(gold, predicted, average="macro", zero_division=0))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        gold, predicted, labels=labels, zero_division=0
    )
    scores = class_scores(confusion)
    for ours, theirs in zip(
        (scores.precision, scores.recall, scores.f1, scores.support), (precision, recall, f1, support)
    ):
        assert ours == pytest.approx(theirs)
