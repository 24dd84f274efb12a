"""How far a score of a sample can be trusted: intervals around it.

Shapes: N examples, K kinds of example, R resamples, r of them at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np

from bertwright.evaluation.class_scores import Floats, Ints, Tally

RESAMPLES = 1000
LEVEL = 0.95
Statistic = TypeVar("Statistic")
NUMBERS_AT_ONCE = 4_000_000  # counts held in memory at a time


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its interval.

    Attributes:
        value: the score.
        low, high: the ends of the interval; None where the sample cannot tell (every resample is alike, as when
            all answers are right).
    """

    value: float
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """A JSON object."""
        return {"value": self.value, "low": self.low, "high": self.high}


def wilson_interval(successes: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of a share, which stays honest near 0 and 1 and for few examples.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if count == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (
        0.0 if successes == 0 else max(0.0, middle - reach),
        1.0 if successes == count else min(1.0, middle + reach),
    )


def resampled_counts(
    counts: Ints, resamples: int = RESAMPLES, seed: int = 0, at_once: int = NUMBERS_AT_ONCE
) -> Iterator[Ints]:
    """Blocks of `[r, K]`: how often each kind of example is drawn when N of them are drawn with replacement.

    `counts [K]` says how often each kind occurs, N in all. Examples of one kind are interchangeable, so a resample
    of the examples is a multinomial draw of kinds: the same distribution, without touching the examples. A block has
    about `at_once` numbers; the draws do not depend on it.
    """
    generator = np.random.default_rng(seed)
    total = int(counts.sum())
    rows = max(1, at_once // max(1, len(counts)))
    for begin in range(0, resamples, rows):
        yield generator.multinomial(total, counts / total, size=min(rows, resamples - begin))


def percentile_interval(values: Floats, level: float = LEVEL) -> tuple[float, float] | None:
    """The middle `level` of resampled scores `[R]`; None where they do not vary. Those that are NaN are left out.

    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3.
    """
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high)) if high > low else None


def bootstrap(
    counts: Ints,
    statistic: Callable[[Ints], Statistic],
    metrics: Mapping[str, Callable[[Statistic], Floats]],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    at_once: int = NUMBERS_AT_ONCE,
) -> dict[str, Estimate]:
    """Each metric of a sample, with its percentile interval over resamples of the examples.

    Args:
        counts: `[K]` how often each kind of example occurs.
        statistic: of `[r, K]` such counts, r samples, what the metrics are functions of.
        metrics: from that to `[r]` scores.
        resamples, level, seed: R of them, the share that lies in the interval, and what the draws follow from.
        at_once: see `resampled_counts`.
    """
    drawn: dict[str, list[Floats]] = {name: [] for name in metrics}
    for block in resampled_counts(counts, resamples, seed, at_once):
        resampled = statistic(block)
        for name, metric in metrics.items():
            drawn[name].append(metric(resampled))
    sample = statistic(counts[None])
    return {
        name: Estimate(
            float(metric(sample)[0]), *(percentile_interval(np.concatenate(drawn[name]), level) or (None, None))
        )
        for name, metric in metrics.items()
    }


def bootstrap_metrics(
    gold: Ints,
    predicted: Ints,
    num_classes: int,
    metrics: Mapping[str, Callable[[Tally], Floats]],
    **options: Any,
) -> dict[str, Estimate]:
    """`bootstrap` of the metrics of a classifier, from the classes `gold [N]` and `predicted [N]`."""
    cells, counts = np.unique(gold * num_classes + predicted, return_counts=True)
    true, said = np.divmod(cells, num_classes)
    return bootstrap(counts, lambda block: tally_of_cells(block, true, said, num_classes), metrics, **options)


def bootstrap_interval(sums: Floats, metric: Callable[[Floats], Floats], **options: Any) -> Estimate:
    """`bootstrap` of a metric that is a function of sums over the examples, such as F1 of entities or a mean.

    Args:
        sums: `[N, S]`, what each example adds (for entities: found, right and true ones).
        metric: `[r, S]` to scores `[r]`.
        **options: as of `bootstrap`.
    """
    ones = np.ones(len(sums), dtype=np.int64)
    return bootstrap(ones, lambda block: block @ sums, {"metric": metric}, **options)["metric"]


def tally_of_cells(counts: Ints, true: Ints, said: Ints, num_classes: int) -> Tally:
    """The tally `[r, C]` of `counts [r, K]` examples of which kind k is of class `true[k]`, answered `said[k]`."""
    hits = counts * (true == said)
    return Tally(
        _sums_by_class(hits, true, num_classes),
        _sums_by_class(counts, true, num_classes),
        _sums_by_class(counts, said, num_classes),
    )


def _sums_by_class(counts: Ints, classes: Ints, num_classes: int) -> Ints:
    """`[r, C]`: the columns of `counts [r, K]` summed by their class `[K]`."""
    order = np.argsort(classes, kind="stable")
    present, starts = np.unique(classes[order], return_index=True)
    sums = np.zeros((len(counts), num_classes), dtype=np.int64)
    sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums
