"""Ranking metrics: against scikit-learn, against pairs counted by hand, and by how often intervals hold the truth."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from sklearn import metrics

from bertwright.evaluation.ranking import Ranking, average_precision, bootstrap_ranking, roc_auc
from bertwright.evaluation.summary import Answers, summarize

BOTH = {"roc_auc": roc_auc, "average_precision": average_precision}


@pytest.mark.parametrize("distinct", [2, 5, 1000])
@pytest.mark.parametrize("share", [0.03, 0.5, 0.9])
def test_the_metrics_are_those_of_scikit_learn_with_ties_and_without(distinct: int, share: float) -> None:
    rng = np.random.default_rng(distinct)
    gold = np.concatenate([rng.random(300) < share, [True, False]])
    scores = np.round(rng.normal(gold, 1.0) * distinct / 4)
    found = bootstrap_ranking(scores, gold, BOTH, resamples=20)
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(gold, scores), abs=1e-12)
    assert found["average_precision"].value == pytest.approx(metrics.average_precision_score(gold, scores), abs=1e-12)


def test_the_area_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    gold, scores = rng.random(40) < 0.4, rng.integers(6, size=40).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[gold] for b in scores[~gold]]
    assert bootstrap_ranking(scores, gold, BOTH, resamples=1)["roc_auc"].value == pytest.approx(np.mean(pairs))


def test_a_resample_of_kinds_is_a_resample_of_examples() -> None:
    rng = np.random.default_rng(0)
    gold = rng.random(60) < 0.3
    scores = np.round(rng.normal(gold, 1.0), 1)
    found = bootstrap_ranking(scores, gold, BOTH, resamples=4000, seed=1)
    for name, theirs in (("roc_auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score)):
        rows = [rng.integers(60, size=60) for _ in range(1000)]
        low, high = np.quantile([theirs(gold[row], scores[row]) for row in rows], [0.025, 0.975])
        assert found[name].low == pytest.approx(low, abs=0.04), name
        assert found[name].high == pytest.approx(high, abs=0.04), name


def test_the_interval_holds_the_true_area_about_as_often_as_it_says() -> None:
    """Scores of the two classes are normal, one deviation apart: the true area is known."""
    truth = NormalDist().cdf(1 / np.sqrt(2))
    rng = np.random.default_rng(0)
    held = 0
    for sample in range(200):
        gold = rng.random(150) < 0.4
        one = bootstrap_ranking(rng.normal(gold, 1.0), gold, {"roc_auc": roc_auc}, resamples=400, seed=sample)
        low, high = one["roc_auc"].low, one["roc_auc"].high
        assert low is not None
        assert high is not None
        held += low <= truth <= high
    assert 178 <= held <= 199  # 95 % of 200 are 190; three deviations and the bias of percentiles


def test_one_side_has_no_ranking_and_a_perfect_one_no_interval() -> None:
    assert bootstrap_ranking(np.array([0.1, 0.2]), np.array([True, True]), BOTH) == {}
    assert bootstrap_ranking(np.zeros(0), np.zeros(0, dtype=bool), BOTH) == {}
    perfect = bootstrap_ranking(np.array([0.9, 0.1]), np.array([True, False]), BOTH)["roc_auc"]
    assert (perfect.value, perfect.low, perfect.high) == (1.0, None, None)


def test_metrics_keep_leading_axes_and_say_nan_where_nothing_can_be_said() -> None:
    counts = Ranking(np.array([[1, 0], [0, 0]]), np.array([[0, 2], [1, 1]]))
    assert roc_auc(counts)[0] == 1.0
    assert np.isnan(roc_auc(counts)[1])
    assert np.isnan(average_precision(counts)[1])


def answers(labels: tuple[str, str], scores: list[float], gold: list[int]) -> Answers:
    rows = np.array([[1 - one, one] for one in scores])
    return Answers(labels, np.array(gold), rows.argmax(1), rows)


def test_a_summary_of_two_classes_ranks_them_and_names_the_positive_one() -> None:
    summary = summarize(answers(("no", "yes"), [0.9, 0.2, 0.3, 0.6], [1, 0, 1, 0]))
    assert summary.metrics["roc_auc"].value == pytest.approx(0.75)
    titles = list(summary.titled_metrics())
    assert "ROC AUC" in titles
    assert "average precision of 'yes'" in titles
    assert "micro_f1" not in titles
    turned = summarize(answers(("yes", "no"), [0.9, 0.2, 0.3, 0.6], [1, 0, 1, 0]))
    assert turned.metrics["average_precision"].value == pytest.approx(
        metrics.average_precision_score([0, 1, 0, 1], [0.1, 0.8, 0.7, 0.4])
    )
    unnamed = summarize(answers(("cat", "dog"), [0.9, 0.2, 0.3, 0.6], [1, 0, 1, 0]))
    assert "average_precision" not in unnamed.metrics
    assert unnamed.metrics["roc_auc"].value == pytest.approx(0.75)


def test_answers_of_one_class_and_probabilities_that_round_to_one() -> None:
    assert "roc_auc" not in summarize(answers(("no", "yes"), [0.9, 0.2], [1, 1])).metrics
    rows = np.array([[1e-20, 1.0], [1e-30, 1.0]])
    sure = Answers(("no", "yes"), np.array([0, 1]), np.array([1, 1]), rows)
    assert summarize(sure).metrics["roc_auc"].value == 1.0
