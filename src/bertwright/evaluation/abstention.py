"""Answering only where the model is sure: what accuracy costs in coverage.

El-Yaniv & Wiener 2010, "On the Foundations of Noise-free Selective Classification"; Geifman & El-Yaniv 2017,
"Selective Classification for Deep Neural Networks". Shapes: N examples, K distinct confidences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bertwright.evaluation.class_scores import Floats, Ints
from bertwright.evaluation.confidence import wilson_interval


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """For every threshold that makes a difference, the strictest first, `[K]` each.

    Attributes:
        thresholds: an answer counts if its confidence is at least this.
        answered: examples with such an answer.
        right: the right ones among them.
        count: N.
    """

    thresholds: Floats
    answered: Ints
    right: Ints
    count: int

    @property
    def coverage(self) -> Floats:
        """`[K]` share of examples that are answered."""
        return self.answered / max(self.count, 1)

    @property
    def risk(self) -> Floats:
        """`[K]` share of wrong answers among the answered."""
        return 1 - self.right / self.answered

    def area(self) -> float:
        """The area under risk over coverage (AURC): the mean risk over all coverages; lower is better."""
        steps = np.diff(self.coverage, prepend=0.0)
        return float((self.risk * steps).sum())


def risk_coverage(confidence: Floats, right: Ints) -> RiskCoverage:
    """The curve of `confidence [N]` and `right [N]` (0 or 1). Equal confidences are answered together or not at all."""
    order = np.argsort(-confidence, kind="stable")
    sure, hits = confidence[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(sure[1:] != sure[:-1], True)) if len(sure) else np.zeros(0, np.int64)
    return RiskCoverage(sure[last], last + 1, hits[last], len(sure))


@dataclass(frozen=True, slots=True)
class Abstention:
    """A threshold on the confidence, and what it does on these examples.

    Attributes:
        wished: the accuracy asked for.
        threshold: answer where the confidence is at least this.
        coverage: share of examples answered.
        answered: how many.
        accuracy, low, high: of the answered, with its 95 % interval (Wilson).
    """

    wished: float
    threshold: float
    coverage: float
    answered: int
    accuracy: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """A JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def abstention(confidence: Floats, right: Ints, accuracy: float) -> Abstention | None:
    """The threshold that answers most examples with at least `accuracy` (for an error rate e: `1 - e`).

    None where no threshold reaches it.
    """
    curve = risk_coverage(confidence, right)
    enough = np.flatnonzero(curve.right >= accuracy * curve.answered - 1e-9)
    if len(enough) == 0:
        return None
    best = enough[-1]
    answered, hits = int(curve.answered[best]), int(curve.right[best])
    low, high = wilson_interval(hits, answered)
    threshold = float(curve.thresholds[best])
    return Abstention(accuracy, threshold, answered / curve.count, answered, hits / answered, low, high)
