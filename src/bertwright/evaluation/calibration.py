"""Do probabilities mean what they say? Calibration of a classifier, and the temperature that mends it.

Shapes: N examples, C classes. `probabilities [N, C]` are rows that sum to 1; `gold [N]` holds classes. The predicted
class is the most probable one, its probability the confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bertwright.evaluation.class_scores import Floats, Ints

BINS = 15
TEMPERATURES = (0.05, 20.0)  # beyond these a dev set says nothing that one should act on


@dataclass(frozen=True, slots=True)
class ReliabilityTable:
    """Examples by confidence; bins without examples have NaN.

    Attributes:
        edges: `[bins + 1]`.
        counts: `[bins]` examples.
        confidence: `[bins]` mean confidence.
        accuracy: `[bins]` share of right answers.
    """

    edges: Floats
    counts: Ints
    confidence: Floats
    accuracy: Floats

    def error(self) -> float:
        """The mean gap between confidence and accuracy, weighted by examples."""
        filled = self.counts > 0
        gaps = np.abs(self.confidence[filled] - self.accuracy[filled])
        return float((gaps * self.counts[filled]).sum() / max(self.counts.sum(), 1))


@dataclass(frozen=True, slots=True)
class CalibrationScores:
    """How well probabilities fit the facts; 0 is perfect for each.

    Attributes:
        ece: gap between confidence and accuracy in 15 bins of equal width.
        adaptive_ece: the same in bins of equally many examples.
        brier: mean squared distance between the probabilities and the truth, 0 to 2.
        nll: mean negative logarithm of the true class's probability.
    """

    ece: float
    adaptive_ece: float
    brier: float
    nll: float

    @classmethod
    def of(cls, probabilities: Floats, gold: Ints) -> CalibrationScores:
        """All four, of `[N, C]` and `[N]`."""
        confidence, right = top_label(probabilities, gold)
        return cls(
            reliability_table(confidence, right).error(),
            reliability_table(confidence, right, equal_mass=True).error(),
            brier(probabilities, gold),
            negative_log_likelihood(probabilities, gold),
        )

    def to_json(self) -> dict[str, float]:
        """A JSON object."""
        return {"ece": self.ece, "adaptive_ece": self.adaptive_ece, "brier": self.brier, "nll": self.nll}


def top_label(probabilities: Floats, gold: Ints) -> tuple[Floats, Ints]:
    """The confidence `[N]`, and whether the most probable class is right `[N]` (0 or 1)."""
    return probabilities.max(1), (probabilities.argmax(1) == gold).astype(np.int64)


def reliability_table(
    confidence: Floats, right: Ints, bins: int = BINS, *, equal_mass: bool = False
) -> ReliabilityTable:
    """Confidence `[N]` against the share of right answers (`right [N]`, 0 or 1) in bins.

    Bins of equal width `(a, b]`: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2. Bins of equal
    mass: Nixon et al. 2019, "Measuring Calibration in Deep Learning", section 4.2; equal confidences share a bin.
    """
    if equal_mass:
        shares = np.arange(1, bins) / bins
        edges = np.unique([0.0, *np.quantile(confidence, shares, method="inverted_cdf"), 1.0])
    else:
        edges = np.arange(bins + 1) / bins
    places = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(places, confidence, len(counts)) / counts
        accuracy = np.bincount(places, right, len(counts)) / counts
    return ReliabilityTable(edges, counts, mean_confidence, accuracy)


def brier(probabilities: Floats, gold: Ints) -> float:
    """Mean over examples of the squared distance to the truth, summed over classes (Brier 1950): 0 to 2."""
    truth = np.zeros_like(probabilities)
    truth[np.arange(len(gold)), gold] = 1
    return float(((probabilities - truth) ** 2).sum(1).mean())


def negative_log_likelihood(probabilities: Floats, gold: Ints) -> float:
    """Mean of -ln of the true class's probability."""
    return float(-log_probabilities(probabilities)[np.arange(len(gold)), gold].mean())


def log_probabilities(probabilities: Floats) -> Floats:
    """`[N, C]` logarithms; a probability that was rounded to 0 counts as the smallest number of its type."""
    smallest = np.finfo(np.result_type(probabilities, np.float32)).tiny
    return np.log(np.maximum(probabilities.astype(np.float64), smallest))


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """`softmax(log p / T)`, `[N, C]`: flatter for T > 1, sharper below. The order of the classes stays.

    Applied twice, the temperatures multiply: `tempered(p, 1 / T)` undoes `tempered(p, T)` where that is above 0.
    """
    scaled = log_probabilities(probabilities) / temperature
    powers: Floats = np.exp(scaled - scaled.max(1, keepdims=True))
    total: Floats = powers.sum(1, keepdims=True)
    return powers / total


def fit_temperature(log_probabilities: Floats, gold: Ints) -> float:
    """The temperature T > 0 for which `softmax(z / T)` has the lowest negative log-likelihood on these examples.

    Guo et al. 2017, section 4.2. In 1/T the likelihood is convex, so its slope is followed to 0 by bisection. Where no
    temperature is best (every answer is right: the sharper, the better) the examples cannot tell, and T is 1.

    Args:
        log_probabilities: `[N, C]` logits or logarithms of probabilities; the two give the same T.
        gold: `[N]`.
    """
    z = log_probabilities.astype(np.float64)
    z = z - z.max(1, keepdims=True)
    truth = z[np.arange(len(gold)), gold]

    def slope(sharpness: float) -> float:
        powers = np.exp(sharpness * z)
        return float(((powers * z).sum(1) / powers.sum(1) - truth).mean())

    if len(gold) == 0 or (truth >= 0).all():
        return 1.0
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low) >= 0:
        return TEMPERATURES[1]
    if slope(high) <= 0:
        return TEMPERATURES[0]
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return float(1 / np.sqrt(low * high))


def cross_fitted(probabilities: Floats, gold: Ints, seed: int = 0) -> Floats:
    """`[N, C]` probabilities after a temperature that was fitted on the other half of the examples.

    What they score is what a temperature fitted here promises for new examples; scored on the examples that it was
    fitted on, it would flatter itself.
    """
    halves = np.random.default_rng(seed).permutation(len(gold)) % 2 == 0
    result = probabilities.astype(np.float64)
    for half in (halves, ~halves):
        temperature = fit_temperature(log_probabilities(probabilities[~half]), gold[~half])
        result[half] = tempered(probabilities[half], temperature)
    return result
