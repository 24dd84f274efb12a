"""Is B better than A? Two sets of answers to the same examples.

Shapes: N examples, K kinds of example, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bertwright.evaluation.classification import Floats, Ints, Tally, confusion_matrix
from bertwright.evaluation.confidence import LEVEL, percentile_interval, resampled_counts, tally_of_cells

MOST_RESAMPLES, LEAST_RESAMPLES = 10_000, 2_000  # a small p-value needs many; many kinds of example are costly
_DRAWS = 20_000_000
SIGNIFICANCE = 0.05
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two sets of answers.

    Attributes:
        a, b: the metric of each.
        low, high: the 95 % interval of `b - a`; None where the sample cannot tell (few examples, every resample
            alike).
        p_value: two-sided: how often a difference as large would be seen if there were none.
    """

    a: float
    b: float
    low: float | None
    high: float | None
    p_value: float

    @property
    def value(self) -> float:
        """`b - a`"""
        return self.b - self.a

    @property
    def is_shown(self) -> bool:
        """Whether chance is a poor explanation: p below 0.05, and 0 outside the interval."""
        if self.low is None or self.high is None:
            return False
        return self.p_value < SIGNIFICANCE and (self.low > 0 or self.high < 0)

    def to_json(self) -> dict[str, float | None]:
        """A JSON object."""
        return {
            "a": self.a,
            "b": self.b,
            "difference": self.value,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
        }


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p-value for `only_a` examples that only A answers rightly, and `only_b` that only B does.

    McNemar 1947, "Note on the sampling error of the difference between correlated proportions": were both equally good,
    each of these examples would be a toss of a coin.
    """
    tosses, fewer = only_a + only_b, min(only_a, only_b)
    if tosses == 0 or only_a == only_b:
        return 1.0
    heads = np.arange(1, fewer + 1)
    log_ways = np.concatenate([[0.0], np.cumsum(np.log((tosses - heads + 1) / heads))])
    largest = log_ways.max()
    log_tail = largest + math.log(np.exp(log_ways - largest).sum()) - tosses * math.log(2)
    return min(1.0, 2 * math.exp(log_tail))


def rows_needed(discordant: float, difference: float = 0.01) -> int:
    """How many examples show `difference` in accuracy with 80 % power at the 5 % level, by McNemar's test.

    Connor 1987, "Sample size for testing differences in proportions for the paired-sample design".

    Args:
        discordant: the share of examples that only one of the two answers rightly; at least `difference`.
    """
    discordant = max(discordant, difference)
    z_level, z_power = NormalDist().inv_cdf(1 - SIGNIFICANCE / 2), NormalDist().inv_cdf(POWER)
    root = z_level * math.sqrt(discordant) + z_power * math.sqrt(discordant - difference**2)
    return math.ceil((root / difference) ** 2)


def paired_bootstrap(
    gold: Ints,
    a: Ints,
    b: Ints,
    num_classes: int,
    metrics: dict[str, Callable[[Tally], Floats]],
    *,
    resamples: int | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Difference]:
    """Each metric of the answers `a [N]` and `b [N]` to the same examples, resampled together.

    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapters 13 and 15: the interval is the middle 95 % of
    the resampled differences, the p-value the smallest level at which such an interval leaves 0 out, and no smaller
    than `least_p_value`.
    """
    cells, counts = np.unique((gold * num_classes + a) * num_classes + b, return_counts=True)
    rest, said_b = np.divmod(cells, num_classes)
    true, said_a = np.divmod(rest, num_classes)
    resamples = resamples or min(MOST_RESAMPLES, max(LEAST_RESAMPLES, _DRAWS // len(counts)))
    drawn: dict[str, list[Floats]] = {name: [] for name in metrics}
    for block in resampled_counts(counts, resamples, seed):
        tallies = [tally_of_cells(block, true, said, num_classes) for said in (said_a, said_b)]
        for name, metric in metrics.items():
            drawn[name].append(metric(tallies[1]) - metric(tallies[0]))
    whole = [Tally.of(confusion_matrix(gold, answers, num_classes)) for answers in (a, b)]
    sizes = len(gold), int((a != b).sum())
    return {
        name: _difference(float(metric(whole[0])), float(metric(whole[1])), np.concatenate(drawn[name]), level, sizes)
        for name, metric in metrics.items()
    }


def least_p_value(differing: int) -> float:
    """The smallest two-sided p-value that so many differing examples can give, however large the differences are.

    Were there no difference, each of them might as well be the other way round (Fisher 1935, "The Design of
    Experiments", section 21): all on one side are 2 of `2 ** differing` cases. A resample of very few examples
    cannot know that: it is like the sample.
    """
    return min(1.0, 2.0 ** (1 - min(differing, 1000)))


def resampling_units_needed(found: Difference, count: int, difference: float = 0.01) -> int:
    """How many examples show `difference` in a bootstrapped metric with 80 % power at the 5 % level.

    The standard error is taken from the interval of `found`, on `count` examples, and shrinks with the root of their
    number. Where the interval has no width, it is as if the runs differed by `difference` only, as in `rows_needed`.
    """
    z_level, z_power = NormalDist().inv_cdf((1 + LEVEL) / 2), NormalDist().inv_cdf(POWER)
    if found.low is None or found.high is None or found.low == found.high:
        error = math.sqrt(difference / max(count, 1))
    else:
        error = (found.high - found.low) / (2 * z_level)
    return math.ceil(count * ((z_level + z_power) * error / difference) ** 2)


def paired_bootstrap_of_sums(
    a: Floats,
    b: Floats,
    metrics: dict[str, Callable[[Floats], Floats]],
    *,
    resamples: int | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Difference]:
    """`paired_bootstrap` for any metrics that are functions of sums over the examples.

    Args:
        a, b: `[N, S]`, what each example adds.
        metrics: sums `[..., S]` to scores `[...]`.
    """
    kinds, counts = np.unique(np.concatenate([a, b], axis=1), axis=0, return_counts=True)
    of_a, of_b = kinds[:, : a.shape[1]], kinds[:, a.shape[1] :]
    resamples = resamples or min(MOST_RESAMPLES, max(LEAST_RESAMPLES, _DRAWS // len(counts)))
    drawn: dict[str, list[Floats]] = {name: [] for name in metrics}
    for block in resampled_counts(counts, resamples, seed):
        sums_a, sums_b = block @ of_a, block @ of_b
        for name, metric in metrics.items():
            drawn[name].append(metric(sums_b) - metric(sums_a))
    sizes = len(a), int((a != b).any(1).sum())
    return {
        name: _difference(float(metric(a.sum(0))), float(metric(b.sum(0))), np.concatenate(drawn[name]), level, sizes)
        for name, metric in metrics.items()
    }


def _difference(a: float, b: float, drawn: Floats, level: float, sizes: tuple[int, int]) -> Difference:
    """`sizes`: how many examples there are, and in how many of them the answers differ."""
    count, differing = sizes
    interval: tuple[float | None, float | None] | None = percentile_interval(drawn, level)
    if interval is None:  # where many examples are alike, so are others; where few are, nobody knows
        interval = (None, None) if least_p_value(count) >= SIGNIFICANCE else (b - a, b - a)
    rounding = 1e-12  # of differences of sums that are equal
    tails = min(int((drawn <= rounding).sum()), int((drawn >= -rounding).sum()))
    p_value = max(min(1.0, 2 * (tails + 1) / (len(drawn) + 1)), least_p_value(differing))
    return Difference(a, b, *interval, p_value)
