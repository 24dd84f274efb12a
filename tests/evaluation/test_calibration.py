"""Calibration and abstention: by brute force, against scikit-learn, and on generators whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from bertwright.evaluation.abstention import abstention, risk_coverage
from bertwright.evaluation.calibration import (
    TEMPERATURES,
    CalibrationScores,
    brier,
    cross_fitted,
    fit_temperature,
    log_probabilities,
    negative_log_likelihood,
    reliability_table,
    tempered,
)


def calibrated(seed: int, count: int, classes: int, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities `[N, C]`, and gold drawn from exactly these."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=spread, size=(count, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    gold = (probabilities.cumsum(1) < rng.random((count, 1))).sum(1).clip(max=classes - 1)
    return probabilities, gold


@pytest.mark.parametrize("seed", range(5))
def test_ece_by_brute_force(seed: int) -> None:
    probabilities, gold = calibrated(seed, 200, 3)
    expected = 0.0
    for index in range(15):
        low, high = index / 15, (index + 1) / 15
        members = [i for i in range(200) if low < probabilities[i].max() <= high]
        if members:
            sure = np.mean([probabilities[i].max() for i in members])
            right = np.mean([probabilities[i].argmax() == gold[i] for i in members])
            expected += len(members) / 200 * abs(sure - right)
    assert CalibrationScores.of(probabilities, gold).ece == pytest.approx(expected)


def test_adaptive_ece_by_brute_force() -> None:
    probabilities, gold = calibrated(1, 150, 4)
    order = np.argsort(probabilities.max(1))
    expected = 0.0
    for members in np.split(order, 15):  # 10 each; no two confidences are equal
        gap = probabilities[members].max(1).mean() - (probabilities[members].argmax(1) == gold[members]).mean()
        expected += abs(gap) / 15
    assert CalibrationScores.of(probabilities, gold).adaptive_ece == pytest.approx(expected)


def test_equal_confidences_share_a_bin() -> None:
    confidence, right = np.array([0.9] * 30 + [0.6] * 30), np.array([1, 0, 1] * 20)
    table = reliability_table(confidence, right, equal_mass=True)
    assert sorted(table.counts[table.counts > 0].tolist()) == [30, 30]
    table = reliability_table(np.array([0.0, 1.0, 1.0000001]), np.array([0, 1, 1]))
    assert table.counts[0] == 1
    assert table.counts[-1] == 2


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_likelihood_and_brier_are_those_of_scikit_learn(classes: int) -> None:
    probabilities, gold = calibrated(2, 300, classes)
    labels = range(classes)
    assert negative_log_likelihood(probabilities, gold) == pytest.approx(
        metrics.log_loss(gold, probabilities, labels=labels)
    )
    if classes == 2:
        assert brier(probabilities, gold) == pytest.approx(2 * metrics.brier_score_loss(gold, probabilities[:, 1]))
    truth = np.eye(classes)[gold]
    assert brier(probabilities, gold) == pytest.approx(((probabilities - truth) ** 2).sum(1).mean())


@pytest.mark.parametrize("classes", [2, 5, 50])
def test_a_calibrated_generator_has_a_small_error_and_temperature_one(classes: int) -> None:
    probabilities, gold = calibrated(3, 50_000, classes)
    scores = CalibrationScores.of(probabilities, gold)
    assert scores.ece < 0.01
    assert scores.adaptive_ece < 0.012
    assert fit_temperature(log_probabilities(probabilities), gold) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("temperature", [0.4, 1.7, 3.0])
def test_a_known_temperature_is_recovered_and_mends_the_error(temperature: float) -> None:
    truth, gold = calibrated(4, 20_000, 4)
    given = tempered(truth, 1 / temperature)
    found = fit_temperature(log_probabilities(given), gold)
    assert found == pytest.approx(temperature, rel=0.03)
    before, after = (CalibrationScores.of(one, gold) for one in (given, tempered(given, found)))
    assert after.nll < before.nll
    assert after.ece < 0.015 < before.ece
    assert CalibrationScores.of(cross_fitted(given, gold), gold).ece < 0.02
    assert tempered(given, temperature) == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_sharp_probabilities_are_undone_to_the_last_class(temperature: float) -> None:
    """At temperature 0.05 what had 1 of 100,000 has 1e-100: less than float32 knows, and not nothing."""
    probabilities, gold = calibrated(9, 2000, 4, spread=4)
    assert probabilities.min() < 1e-5
    again = tempered(tempered(probabilities, temperature), 1 / temperature)
    np.testing.assert_allclose(again, probabilities, rtol=1e-9)
    before, after = (negative_log_likelihood(one, gold) for one in (probabilities, again))
    assert after == pytest.approx(before, rel=1e-12)


def test_no_other_temperature_has_a_better_likelihood() -> None:
    probabilities, gold = calibrated(5, 300, 3)
    logits = np.log(tempered(probabilities, 0.5))
    found = fit_temperature(logits, gold)
    best = negative_log_likelihood(tempered(np.exp(logits), found), gold)
    for factor in np.geomspace(0.3, 3, 60):
        assert negative_log_likelihood(tempered(np.exp(logits), found * factor), gold) >= best - 1e-12
    assert fit_temperature(logits + np.arange(300)[:, None], gold) == pytest.approx(found), "logits or logarithms"


def test_where_the_examples_cannot_tell() -> None:
    rows = np.log([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(rows, np.array([0, 1])) == 1.0, "all right: the sharper, the better"
    assert fit_temperature(rows, np.array([1, 0])) == 20.0, "all wrong: the flatter, the better"
    assert fit_temperature(np.zeros((0, 2)), np.zeros(0, dtype=np.int64)) == 1.0
    zeros: Any = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]], dtype=np.float32)
    assert np.isfinite(fit_temperature(log_probabilities(zeros), np.array([1, 0, 0])))
    assert np.isfinite(negative_log_likelihood(zeros, np.array([1, 0, 0])))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.floats(0.05, 20))
def test_a_temperature_never_changes_an_answer(seed: int, temperature: float) -> None:
    probabilities, _ = calibrated(seed, 50, 6, spread=3)
    changed = tempered(probabilities, temperature)
    assert changed.sum(1) == pytest.approx(np.ones(50))
    assert np.array_equal(changed.argmax(1), probabilities.argmax(1))
    for old, new in zip(probabilities, changed):
        assert (np.diff(new[np.argsort(old)]) >= 0).all(), "the order of the classes stays"


def test_risk_and_coverage_by_brute_force() -> None:
    rng = np.random.default_rng(6)
    confidence, right = rng.integers(1, 8, size=40) / 8, rng.integers(2, size=40)
    curve = risk_coverage(confidence, right)
    assert curve.thresholds.tolist() == sorted(set(confidence.tolist()), reverse=True)
    for threshold, coverage, risk in zip(curve.thresholds, curve.coverage, curve.risk):
        answered = confidence >= threshold
        assert coverage == pytest.approx(answered.mean())
        assert risk == pytest.approx(1 - right[answered].mean())
    assert 0 <= curve.area() <= 1
    assert risk_coverage(np.zeros(0), np.zeros(0, dtype=np.int64)).area() == 0


def test_abstention_answers_as_many_as_it_may() -> None:
    rng = np.random.default_rng(8)
    confidence = rng.random(300)
    right = (rng.random(300) < confidence).astype(np.int64)
    for wished in (0.5, 0.8, 0.9, 0.97):
        found = abstention(confidence, right, wished)
        assert found is not None
        answered = confidence >= found.threshold
        assert found.answered == answered.sum()
        assert found.accuracy == pytest.approx(right[answered].mean())
        assert found.accuracy >= wished
        assert found.low < found.accuracy < found.high or found.accuracy == 1
        lower = confidence[confidence < found.threshold]
        assert all(right[confidence >= other].mean() < wished for other in lower), "no lower threshold would do"
    assert abstention(np.array([0.9, 0.8]), np.array([0, 0]), 0.5) is None
    assert abstention(np.zeros(0), np.zeros(0, dtype=np.int64), 0.5) is None
