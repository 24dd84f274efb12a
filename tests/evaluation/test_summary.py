"""The summary says what the single functions say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics

from bertwright.evaluation.calibration import CalibrationScores, fit_temperature, log_probabilities, tempered
from bertwright.evaluation.summary import Answers, summarize


def some_answers(count: int = 120) -> Answers:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet([1, 1, 1], size=count)
    scores = [dict(zip("abc", row.tolist())) for row in rows]
    predicted = [max(row, key=row.__getitem__) for row in scores]
    gold = ["abc"[rng.choice(3, p=row)] for row in rows]
    return Answers.of("abc", gold, predicted, scores)


def test_names_become_arrays_in_the_order_of_the_labels() -> None:
    answers = Answers.of(("x", "y"), ["y", "x"], ["x", "x"], [{"y": 0.4, "x": 0.6}, {"x": 0.9, "y": 0.1}])
    assert answers.gold.tolist() == [1, 0]
    assert answers.right.tolist() == [0, 1]
    assert answers.probabilities.tolist() == [[0.6, 0.4], [0.9, 0.1]]
    assert answers.confidence.tolist() == [0.6, 0.9]
    assert answers.most_confident_errors() == [0]


def test_metrics_are_those_of_scikit_learn_and_lie_in_their_intervals() -> None:
    answers = some_answers()
    summary = summarize(answers)
    values = {name: one.value for name, one in summary.metrics.items()}
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(answers.gold, answers.predicted))
    assert values["mcc"] == pytest.approx(metrics.matthews_corrcoef(answers.gold, answers.predicted))
    for name, one in summary.metrics.items():
        assert one.low is not None, name
        assert one.high is not None, name
        assert one.low < one.value < one.high, name
    assert "f1" not in values


def test_without_a_temperature_one_is_tried_and_with_one_it_is_applied() -> None:
    answers = some_answers().tempered(0.5)
    tried = summarize(answers).calibration
    assert tried.is_fitted_here
    assert tried.temperature == fit_temperature(log_probabilities(answers.probabilities), answers.gold)
    stored = summarize(answers, 2.0).calibration
    assert not stored.is_fitted_here
    assert stored.before == CalibrationScores.of(answers.probabilities, answers.gold)
    assert stored.after == CalibrationScores.of(tempered(answers.probabilities, 2.0), answers.gold)


def test_a_summary_is_valid_json_without_nan() -> None:
    text = json.dumps(summarize(some_answers(4)).to_json(), allow_nan=False)
    values = json.loads(text)
    assert [row["label"] for row in values["classes"]] == ["a", "b", "c"]
    assert sum(entry["count"] for entry in values["calibration"]["bins"]) == 4
    assert np.sum(values["confusion"]["rows_true_columns_predicted"]) == 4
