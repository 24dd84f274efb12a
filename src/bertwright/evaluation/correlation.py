"""Scores of predicted numbers: mean squared error, Pearson's and Spearman's correlation.

Each is a function of sums over the examples, so that resamples of the data are scored at once.

Shapes: N examples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bertwright.evaluation.class_scores import Floats
from bertwright.evaluation.confidence import Estimate, bootstrap_interval


def pearson_sums(gold: Floats, predicted: Floats) -> Floats:
    """`[N, 6]`: what each example adds to `pearson_of`; both sides are centred first, which loses no digits."""
    x, y = predicted - predicted.mean(), gold - gold.mean()
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def pearson_of(sums: Floats) -> Floats:
    """Pearson's r of sums `[..., 6]`; 0 where one side does not vary."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    covariance = count * xy - x * y
    spread = np.maximum(count * xx - x * x, 0) * np.maximum(count * yy - y * y, 0)
    return np.where(spread > 0, covariance / np.sqrt(np.where(spread > 0, spread, 1)), 0.0)


def mean_of(sums: Floats) -> Floats:
    """Mean of sums `[..., 2]` of ones and values."""
    return sums[..., 1] / sums[..., 0]


def ranks(values: Floats) -> Floats:
    """`[N]` ranks from 1; equal values share the mean of theirs (Kendall 1945)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse], dtype=np.float64)


def squared_error_sums(gold: Floats, predicted: Floats) -> Floats:
    """`[N, 2]`: ones and squared errors."""
    return np.stack([np.ones_like(gold), (predicted - gold) ** 2], axis=1)


Sums = tuple[Floats, Callable[[Floats], Floats]]


def sums_by_metric(gold: Floats, predicted: Floats) -> dict[str, Sums]:
    """`mse`, `pearson` and `spearman`: what each example adds, and the score of sums.

    Spearman's rho is Pearson's r of the ranks (Spearman 1904); resamples keep the ranks that the whole sample has.
    """
    return {
        "mse": (squared_error_sums(gold, predicted), mean_of),
        "pearson": (pearson_sums(gold, predicted), pearson_of),
        "spearman": (pearson_sums(ranks(gold), ranks(predicted)), pearson_of),
    }


def number_scores(gold: Floats, predicted: Floats) -> dict[str, float]:
    """The three metrics."""
    return {name: float(score(sums.sum(0))) for name, (sums, score) in sums_by_metric(gold, predicted).items()}


def number_estimates(gold: Floats, predicted: Floats) -> dict[str, Estimate]:
    """The three metrics with 95 % intervals from resampling the examples."""
    return {name: bootstrap_interval(sums, score) for name, (sums, score) in sums_by_metric(gold, predicted).items()}
