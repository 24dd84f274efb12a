"""Intervals: against scipy, against resampling by hand, and by how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bertwright.evaluation.class_scores import METRICS, Tally, confusion_matrix, metrics_for
from bertwright.evaluation.confidence import (
    bootstrap_interval,
    bootstrap_metrics,
    percentile_interval,
    resampled_counts,
    tally_of_cells,
    wilson_interval,
)


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (1, 7), (90, 100), (872, 1000), (0, 1)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_that_of_scipy(right: int, count: int, level: float) -> None:
    theirs = stats.binomtest(right, count).proportion_ci(level, method="wilson")
    assert wilson_interval(right, count, level) == pytest.approx((theirs.low, theirs.high))


def test_wilson_of_nothing_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_a_resample_of_kinds_is_a_resample_of_examples() -> None:
    """Mean and variance of every metric over resamples, against drawing the examples themselves."""
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=80)
    predicted = np.where(rng.random(80) < 0.7, gold, rng.integers(3, size=80))
    cells, counts = np.unique(gold * 3 + predicted, return_counts=True)
    blocks = list(resampled_counts(counts, 4000, seed=1))
    true, said = np.divmod(cells, 3)
    by_hand = np.array([rng.integers(80, size=80) for _ in range(4000)])
    matrices = np.array([confusion_matrix(gold[one], predicted[one], 3) for one in by_hand])
    for name, metric in METRICS.items():
        ours = np.concatenate([metric(tally_of_cells(block, true, said, 3)) for block in blocks])
        theirs = metric(Tally.of(matrices))
        assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * theirs.std() / 60), name
        assert ours.std() == pytest.approx(theirs.std(), rel=0.06), name


def test_blocks_hold_every_resample_and_every_example() -> None:
    counts = np.ones(3_000_000, dtype=np.int64)
    blocks = list(resampled_counts(counts, 3))
    assert sum(len(block) for block in blocks) == 3
    assert all((block.sum(1) == 3_000_000).all() for block in blocks)


def test_equal_seeds_give_equal_intervals_and_no_variation_gives_none() -> None:
    gold = np.array([0, 1, 0, 1, 1])
    one, other = (bootstrap_metrics(gold, gold[::-1].copy(), 2, METRICS, seed=3) for _ in range(2))
    assert one == other
    perfect = bootstrap_metrics(gold, gold, 2, METRICS)["accuracy"]
    assert (perfect.value, perfect.low, perfect.high) == (1.0, None, None)
    assert percentile_interval(np.ones(10)) is None


@pytest.mark.parametrize("name", ["accuracy", "macro_f1", "mcc", "f1"])
def test_intervals_hold_the_truth_in_95_of_100_samples(name: str) -> None:
    """Samples from a known distribution of (true, predicted) pairs; 400 of them, so 95 % within ±4 standard errors."""
    rng = np.random.default_rng(7)
    cells = np.array([0.40, 0.08, 0.12, 0.40])
    metric = metrics_for(("no", "yes"))[name]
    truth = float(metric(Tally.of((cells.reshape(2, 2) * 1e6).astype(np.int64))))
    inside = 0
    for sample in range(400):
        gold, predicted = np.divmod(rng.choice(4, size=300, p=cells), 2)
        found = bootstrap_metrics(gold, predicted, 2, {name: metric}, resamples=400, seed=sample)[name]
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= truth <= found.high
    assert 0.95 - 0.044 <= inside / 400 <= 0.95 + 0.044


def test_wilson_holds_the_truth_where_the_bootstrap_cannot() -> None:
    rng = np.random.default_rng(3)
    drawn = rng.binomial(30, 0.97, size=2000)
    inside = sum(low <= 0.97 <= high for low, high in (wilson_interval(int(right), 30) for right in drawn))
    assert inside / 2000 > 0.92


def test_a_metric_of_sums() -> None:
    """F1 of entities: found, right and true ones of each text; against the binary F1, where each text has one."""
    rng = np.random.default_rng(2)
    gold, predicted = rng.integers(2, size=(2, 200))
    statistics = np.stack([predicted, predicted & gold, gold], axis=1).astype(float)

    def f1(sums: np.ndarray) -> np.ndarray:
        return 2 * sums[..., 1] / (sums[..., 0] + sums[..., 2])

    ours = bootstrap_interval(statistics, f1, resamples=2000)
    theirs = bootstrap_metrics(gold, predicted, 2, metrics_for(("0", "1")), resamples=2000)["f1"]
    assert ours.value == pytest.approx(theirs.value)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
