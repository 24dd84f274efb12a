"""Is B better than A? Two sets of answers to the same examples.

How much better is said by an interval of the paired bootstrap (Efron & Tibshirani 1993, "An Introduction to the
Bootstrap", chapter 13): examples are drawn again, each with both answers. Whether that may be chance is said by a
paired permutation test (Good 2005, "Permutation, Parametric and Bootstrap Tests of Hypotheses"; for F1 and its like Yeh
2000, "More accurate tests for the statistical significance of result differences"): were there no difference, the two
answers to each example might as well change sides. That holds for any number of examples; resamples of few are too much
like the sample.

Shapes: N examples, K kinds of example, R resamples or exchanges, r of them at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bertwright.evaluation.class_scores import Floats, Ints, Tally
from bertwright.evaluation.confidence import (
    LEVEL,
    NUMBERS_AT_ONCE,
    percentile_interval,
    resampled_counts,
    tally_of_cells,
)

Sums = TypeVar("Sums", Tally, Floats)  # over examples: can be added and taken away
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
        p_value: two-sided: how often a difference at least as large would be seen if there were none.
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
    metrics: Mapping[str, Callable[[Tally], Floats]],
    **options: Any,
) -> dict[str, Difference]:
    """Each metric of the answers `a [N]` and `b [N]` to the same examples: the interval is the middle 95 % of the
    resampled differences, the p-value that of the permutation test. `options` are those of `compare_sides`.
    """
    kinds, counts = np.unique((gold * num_classes + a) * num_classes + b, return_counts=True)
    rest, said_b = np.divmod(kinds, num_classes)
    true, said_a = np.divmod(rest, num_classes)
    return compare_sides(
        counts,
        said_a != said_b,
        lambda block: tally_of_cells(block, true, said_a, num_classes),
        lambda block: tally_of_cells(block, true, said_b, num_classes),
        metrics,
        **options,
    )


def paired_bootstrap_of_sums(
    a: Floats, b: Floats, metrics: Mapping[str, Callable[[Floats], Floats]], **options: Any
) -> dict[str, Difference]:
    """`paired_bootstrap` for any metrics that are functions of sums over the examples.

    Args:
        a, b: `[N, S]`, what each example adds.
        metrics: sums `[..., S]` to scores `[...]`.
        **options: those of `compare_sides`.
    """
    kinds, counts = np.unique(np.concatenate([a, b], axis=1), axis=0, return_counts=True)
    of_a, of_b = kinds[:, : a.shape[1]], kinds[:, a.shape[1] :]
    differing = (of_a != of_b).any(1)
    return compare_sides(counts, differing, lambda block: block @ of_a, lambda block: block @ of_b, metrics, **options)


def compare_sides(
    counts: Ints,
    differing: NDArray[np.bool_],
    side_a: Callable[[Ints], Sums],
    side_b: Callable[[Ints], Sums],
    metrics: Mapping[str, Callable[[Sums], Floats]],
    *,
    resamples: int | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Difference]:
    """The difference of each metric between two sets of answers, by resamples and by exchanges.

    Args:
        counts: `[K]` examples of each kind.
        differing: `[K]` whether the two answers to a kind differ.
        side_a, side_b: what `[r, K]` examples with the answers of A, and of B, add up to.
        metrics: from that to `[r]` scores.
        resamples: R; None: as many as the number of kinds allows.
        level, seed: the share that lies in the interval, and what the draws follow from.
    """
    resamples = resamples or min(MOST_RESAMPLES, max(LEAST_RESAMPLES, _DRAWS // len(counts)))
    drawn = _differences(
        metrics, ((side_a(block), side_b(block)) for block in resampled_counts(counts, resamples, seed))
    )
    exchanges = Exchanges(counts, differing, resamples)
    whole_a, whole_b = side_a(counts[None]), side_b(counts[None])
    moves = (side_b(moved) - side_a(moved) for moved in exchanges.blocks(seed))
    exchanged = _differences(metrics, ((whole_a + move, whole_b - move) for move in moves))
    found = {}
    for name, metric in metrics.items():
        a, b = float(metric(whole_a)[0]), float(metric(whole_b)[0])
        p_value = exchanges.p_value(b - a, exchanged[name])
        found[name] = _difference(a, b, int(counts.sum()), drawn[name], level, p_value)
    return found


def _differences(
    metrics: Mapping[str, Callable[[Sums], Floats]], sides: Iterable[tuple[Sums, Sums]]
) -> dict[str, Floats]:
    """`[R]` of each metric: that of B minus that of A."""
    blocks: dict[str, list[Floats]] = {name: [] for name in metrics}
    for of_a, of_b in sides:
        for name, metric in metrics.items():
            blocks[name].append(metric(of_b) - metric(of_a))
    return {name: np.concatenate(differences) for name, differences in blocks.items()}


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The ways in which the two answers to each example may change sides: all of them where they are few.

    Attributes:
        counts: `[K]` examples of each kind.
        differing: `[K]` whether the two answers to a kind differ: those that do not are left where they are.
        most: ways that are gone through; of more of them so many are drawn.
    """

    counts: Ints
    differing: NDArray[np.bool_]
    most: int

    @property
    def are_all(self) -> bool:
        """Whether every way is gone through once."""
        return int(self.counts[self.differing].sum()) <= math.log2(self.most)

    def blocks(self, seed: int) -> Iterator[Ints]:
        """Blocks of `[r, K]`: how many examples of each kind change sides."""
        places, counts = np.flatnonzero(self.differing), self.counts[self.differing]
        generator = np.random.default_rng(seed)
        total = 2 ** int(counts.sum()) if self.are_all else self.most
        rows = max(1, NUMBERS_AT_ONCE // max(1, 4 * len(self.counts)))  # who counts a block holds both sides of both
        for begin in range(0, total, rows):
            ways = np.arange(begin, min(begin + rows, total))
            moved = np.zeros((len(ways), len(self.counts)), dtype=np.int64)
            if self.are_all:
                for example, place in enumerate(places.repeat(counts)):
                    moved[:, place] += ways >> example & 1
            else:
                moved[:, places] = generator.binomial(counts, 0.5, size=(len(ways), len(places)))
            yield moved

    def p_value(self, found: float, exchanged: Floats) -> float:
        """How often the difference is at least as large as the one `found`, which is one of those that are drawn."""
        rounding = 1e-12  # of differences of sums that are equal
        as_large = int((np.abs(exchanged) >= abs(found) - rounding).sum())
        return as_large / len(exchanged) if self.are_all else (as_large + 1) / (len(exchanged) + 1)


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


def _difference(a: float, b: float, count: int, drawn: Floats, level: float, p_value: float) -> Difference:
    interval: tuple[float | None, float | None] | None = percentile_interval(drawn, level)
    if interval is None:  # where many examples are alike, so are others; where few are, nobody knows
        interval = (b - a, b - a) if mcnemar(0, count) < SIGNIFICANCE else (None, None)
    return Difference(a, b, *interval, p_value)
