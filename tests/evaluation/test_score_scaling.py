"""Scores that are made honest: against a curve that is known, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bertwright.evaluation.calibration import reliability_table
from bertwright.evaluation.score_scaling import Scaling, cross_scaled, fit_scaling

Floats = NDArray[np.float64]


def drawn(seed: int, count: int, true: Scaling) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Scores, and answers that are right as often as `true` says of them; three answers a text."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.02, 0.98, count)
    return scores, rng.random(count) < true(scores), np.arange(count) // 3


def error(scores: Floats, right: NDArray[np.bool_]) -> float:
    return reliability_table(scores, right.astype(np.int64)).error()


def test_the_curve_that_made_the_answers_is_found() -> None:
    true = Scaling(0.6, 1.2)
    found = fit_scaling(*drawn(1, 20_000, true))
    assert found is not None
    assert (found.slope, found.offset) == pytest.approx((0.6, 1.2), abs=0.06)


def test_the_curve_is_the_logistic_regression_of_scikit_learn() -> None:
    scores, right, texts = drawn(2, 3000, Scaling(0.5, 1.0))
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log(scores / (1 - scores))[:, None], right)
    found = fit_scaling(scores, right, texts)
    assert found is not None
    assert found.slope == pytest.approx(peer.coef_[0, 0], abs=5e-3)
    assert found.offset == pytest.approx(peer.intercept_[0], abs=5e-3)


def test_scores_that_were_too_low_are_right_on_other_texts() -> None:
    true = Scaling(0.8, 1.5)
    scores, right, texts = drawn(3, 4000, true)
    found = fit_scaling(scores, right, texts)
    assert found is not None
    others, truth, _ = drawn(4, 4000, true)
    assert error(others, truth) > 0.15
    assert error(found(others), truth) < 0.04
    assert (np.argsort(found(others)) == np.argsort(others)).all(), "the order of answers stays"


def test_no_score_is_judged_by_answers_of_its_own_text() -> None:
    scores, right, texts = drawn(5, 300, Scaling(0.5, 1.0))
    before = cross_scaled(scores, right, texts)
    of_one = texts == 7
    after = cross_scaled(scores, np.where(of_one, ~right, right), texts)
    assert (before[of_one] == after[of_one]).all()
    assert (before[texts == 8] != after[texts == 8]).all()


def test_honest_scores_and_few_answers_are_left_alone() -> None:
    scores, right, texts = drawn(6, 39, Scaling(0.5, 2.0))
    assert fit_scaling(scores, right, texts) is None
    scores = np.full(200, 0.8)
    assert fit_scaling(scores, np.arange(200) % 5 != 0, np.arange(200)) is None
    assert fit_scaling(scores, np.ones(200, dtype=np.bool_), np.arange(200)) is None, "none of them is wrong"


def test_a_scaling_is_kept_in_json() -> None:
    assert Scaling.from_json(Scaling(0.7, -0.2).to_json()) == Scaling(0.7, -0.2)
    assert Scaling.from_json(None) is None
