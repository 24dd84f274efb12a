"""Scores against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from bertwright.evaluation.class_scores import (
    METRICS,
    Tally,
    accuracy,
    class_scores,
    confusion_matrix,
    macro_f1,
    metrics_for,
    positive_class,
    top_confusions,
)


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
    ours = {name: float(metric(Tally.of(confusion))) for name, metric in METRICS.items()}
    assert ours["mcc"] == pytest.approx(metrics.matthews_corrcoef(gold, predicted))
    assert ours["macro_f1"] == macro_f1(confusion)
    for average in ("macro", "weighted", "micro"):
        theirs = metrics.f1_score(gold, predicted, average=average, zero_division=0)
        assert ours[f"{average}_f1"] == pytest.approx(theirs), average
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        gold, predicted, labels=labels, zero_division=0
    )
    scores = class_scores(confusion)
    for mine, other in zip(
        (scores.precision, scores.recall, scores.f1, scores.support), (precision, recall, f1, support)
    ):
        assert mine == pytest.approx(other)


def test_many_matrices_at_once_are_scored_like_each_alone() -> None:
    rng = np.random.default_rng(0)
    stack = rng.integers(5, size=(2, 20, 4, 4))
    for name, metric in METRICS.items():
        alone = [[float(metric(Tally.of(one))) for one in row] for row in stack]
        assert metric(Tally.of(stack)) == pytest.approx(np.array(alone)), name


def test_without_examples_every_score_is_zero() -> None:
    empty = np.zeros((3, 3), dtype=np.int64)
    assert [float(metric(Tally.of(empty))) for metric in METRICS.values()] == [0.0] * len(METRICS)


@pytest.mark.parametrize(
    ("labels", "index"),
    [
        (("0", "1"), 1), (("negative", "positive"), 1), (("No", "Yes"), 1), (("entailment", "not_entailment"), 0),
        (("消极", "积极"), 1), (("不相似", "相似"), 1), (("cat", "dog"), None), (("0", "1", "2"), None),
        (("input", "put"), None),
    ],
)  # fmt: skip
def test_the_positive_class_is_named_only_where_nobody_would_doubt(labels: tuple[str, ...], index: int | None) -> None:
    assert positive_class(labels) == index
    assert ("f1" in metrics_for(labels)) == (index is not None)


def test_f1_of_the_positive_class() -> None:
    rng = np.random.default_rng(1)
    gold, predicted = rng.integers(2, size=(2, 50))
    ours = metrics_for(("no", "yes"))["f1"](Tally.of(confusion_matrix(gold, predicted, 2)))
    assert float(ours) == pytest.approx(metrics.f1_score(gold, predicted))


def test_top_confusions_leave_out_what_never_happened() -> None:
    confusion = np.array([[9, 1, 0], [5, 7, 0], [0, 2, 3]])
    assert top_confusions(confusion, 10) == [(1, 0, 5), (2, 1, 2), (0, 1, 1)]
    assert top_confusions(confusion, 1) == [(1, 0, 5)]
