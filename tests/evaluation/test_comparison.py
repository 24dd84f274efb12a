"""The paired comparison: McNemar against scipy, bootstrap and permutation test by how often they are wrong."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bertwright.evaluation.class_scores import METRICS, Tally, confusion_matrix
from bertwright.evaluation.paired_tests import (
    Difference,
    mcnemar,
    paired_bootstrap,
    paired_bootstrap_of_sums,
    resampling_units_needed,
    rows_needed,
)


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 0), (0, 1), (5, 5), (3, 10), (10, 3), (0, 40), (180, 240), (5000, 5300), (1, 2000)]
)
def test_mcnemar_is_the_binomial_test_of_scipy(only_a: int, only_b: int) -> None:
    tosses = only_a + only_b
    theirs = stats.binomtest(only_a, tosses).pvalue if tosses else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(theirs, rel=1e-8)


def test_rows_needed_give_the_power_they_promise() -> None:
    """Pairs of classifiers that differ by 5 points on 20 % of the rows: McNemar finds it in 80 of 100 samples."""
    rows = rows_needed(0.20, 0.05)
    rng = np.random.default_rng(0)
    tables = rng.multinomial(rows, [0.075, 0.125, 0.8], size=600)
    found = np.mean([mcnemar(int(a), int(b)) < 0.05 for a, b, _ in tables])
    assert 0.72 < found < 0.88
    assert rows_needed(0.0) == rows_needed(0.01), "runs that never differ: as if they differed by the point only"
    assert rows_needed(0.1) > rows_needed(0.05)


def answers(seed: int, count: int, right_a: float, right_b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gold and two sets of answers that are right with these probabilities."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(3, size=count)

    def answer(right: float) -> np.ndarray:
        return np.where(rng.random(count) < right, gold, (gold + rng.integers(1, 3, size=count)) % 3)

    return gold, answer(right_a), answer(right_b)


def test_the_same_answers_show_no_difference() -> None:
    gold, a, _ = answers(0, 100, 0.8, 0.8)
    for difference in paired_bootstrap(gold, a, a, 3, METRICS).values():
        assert difference.value == difference.low == difference.high == 0
        assert difference.p_value == 1
        assert not difference.is_shown


def interval(found: Difference) -> tuple[float, float]:
    """Both ends, which a difference in enough rows has."""
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def holds_zero(found: Difference) -> bool:
    low, high = interval(found)
    return low <= 0 <= high


def test_a_clear_difference_is_shown_in_both_directions() -> None:
    gold, a, b = answers(1, 500, 0.7, 0.85)
    there, back = (paired_bootstrap(gold, *pair, 3, METRICS) for pair in ((a, b), (b, a)))
    for name in METRICS:
        assert there[name].is_shown
        assert interval(there[name])[0] > 0
        assert back[name].value == pytest.approx(-there[name].value)
        assert interval(back[name])[1] < 0


def test_without_a_difference_few_are_shown_and_intervals_hold_zero() -> None:
    """300 pairs of equally good answers: at most about 5 % are told apart, and about 95 % of intervals hold 0."""
    shown, inside = 0, 0
    for seed in range(300):
        gold, a, b = answers(seed, 200, 0.8, 0.8)
        found = paired_bootstrap(gold, a, b, 3, {"macro_f1": METRICS["macro_f1"]}, resamples=400, seed=seed)["macro_f1"]
        shown += found.is_shown
        inside += holds_zero(found)
    assert shown / 300 < 0.10
    assert 0.90 < inside / 300 < 0.99


def f1_of_marks(sums: np.ndarray) -> np.ndarray:
    """Of true, found and right ones."""
    return 2 * sums[..., 2] / np.maximum(sums[..., 0] + sums[..., 1], 1)


@pytest.mark.parametrize("count", [6, 8, 10, 15, 30])
def test_without_a_difference_few_are_shown_in_few_texts(count: int) -> None:
    """The level of the test is 5 % whatever the number of texts; the bootstrap's came to 9 % for 10 of them."""
    rng = np.random.default_rng(count)
    small = 0
    for _ in range(300):
        true = rng.poisson(2, count)
        right = [rng.binomial(true, 0.7) for _ in "ab"]
        rows_a, rows_b = (np.stack([true, one + rng.poisson(0.5, count), one], 1).astype(float) for one in right)
        found = paired_bootstrap_of_sums(rows_a, rows_b, {"f1": f1_of_marks}, resamples=1000)["f1"]
        small += found.p_value < 0.05
    assert small / 300 < 0.065


def test_every_way_to_change_sides_is_counted_where_they_are_few() -> None:
    """Against the enumeration in the words of the textbook, and against draws of the same ways."""
    gold, a, b = answers(5, 25, 0.5, 0.8)
    differing = np.flatnonzero(a != b)
    assert 4 < len(differing) < 14
    metric = METRICS["macro_f1"]

    def difference(swapped: tuple[int, ...]) -> float:
        one, other = a.copy(), b.copy()
        one[list(swapped)], other[list(swapped)] = b[list(swapped)], a[list(swapped)]
        of_a, of_b = (metric(Tally.of(confusion_matrix(gold, answer, 3))) for answer in (one, other))
        return float(of_b - of_a)

    sides = [
        itertools.compress(differing.tolist(), chosen) for chosen in itertools.product([0, 1], repeat=len(differing))
    ]
    all_of_them = np.array([difference(tuple(chosen)) for chosen in sides])
    expected = np.mean(np.abs(all_of_them) >= abs(difference(())) - 1e-12)
    exact, drawn = (
        paired_bootstrap(gold, a, b, 3, {"macro_f1": metric}, resamples=most)["macro_f1"].p_value
        for most in (2 ** len(differing), 2 ** len(differing) - 1)
    )
    assert exact == pytest.approx(expected)
    assert drawn == pytest.approx(expected, abs=0.02)


def test_p_value_and_interval_agree() -> None:
    drawn = (answers(seed, 150, 0.75, 0.83) for seed in range(40))
    found = [paired_bootstrap(gold, a, b, 3, METRICS, resamples=2000)["accuracy"] for gold, a, b in drawn]
    clear = [one for one in found if one.p_value < 0.03]
    unclear = [one for one in found if one.p_value > 0.08]
    assert not any(map(holds_zero, clear))
    assert all(map(holds_zero, unclear))
    assert min(len(clear), len(unclear)) > 5


def test_a_metric_of_sums_equals_the_accuracy() -> None:
    gold, a, b = answers(3, 300, 0.7, 0.8)
    rows_a, rows_b = (np.stack([answer == gold, np.ones(300)], axis=1).astype(float) for answer in (a, b))
    ours = paired_bootstrap_of_sums(rows_a, rows_b, {"accuracy": lambda sums: sums[..., 0] / sums[..., 1]})["accuracy"]
    theirs = paired_bootstrap(gold, a, b, 3, METRICS)["accuracy"]
    assert ours.value == pytest.approx(theirs.value)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert math.isclose(ours.p_value, theirs.p_value, abs_tol=0.01)


@pytest.mark.parametrize("count", range(1, 12))
def test_few_examples_that_agree_prove_no_more_than_tosses_of_a_coin(count: int) -> None:
    """B is better in each of them by as much, so that every resample is like the sample."""
    zeros, ones = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)
    rows_a, rows_b = (np.stack([right, ones], axis=1).astype(float) for right in (zeros, ones))
    of_sums = paired_bootstrap_of_sums(rows_a, rows_b, {"accuracy": lambda sums: sums[..., 0] / sums[..., 1]})[
        "accuracy"
    ]
    of_classes = paired_bootstrap(ones, zeros, ones, 2, METRICS)["accuracy"]
    assert of_sums == of_classes
    assert of_sums.value == 1
    assert of_sums.p_value == pytest.approx(mcnemar(0, count), rel=0.01)
    assert of_sums.is_shown == (count >= 6)
    assert (of_sums.low, of_sums.high) == ((None, None) if count < 6 else (1, 1))


def test_an_interval_without_width_promises_no_power() -> None:
    found = Difference(0.5, 0.5, None, None, 1.0)
    assert resampling_units_needed(found, 1) == resampling_units_needed(replace(found, low=0.0, high=0.0), 20)
    assert resampling_units_needed(found, 1) == pytest.approx(rows_needed(0.0), rel=0.01)
