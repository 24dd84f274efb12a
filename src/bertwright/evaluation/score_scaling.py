"""Scores made honest: how often is an answer right that was given with this score?

Source: Platt 1999, "Probabilistic Outputs for Support Vector Machines": a logistic curve over the score's logit, fitted
to what was right; a slope below 1 says that the scores are surer than they should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST = 40  # answers, and a tenth of it of the right and of the wrong ones
_EDGE = 1e-6  # scores are kept from 0 and 1 by this much
_PULL = 1.0  # towards the curve that changes nothing, in answers


@dataclass(frozen=True, slots=True)
class Scaling:
    """`sigmoid(slope * logit(score) + offset)`."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, scores: Floats) -> Floats:
        """`[N]` to `[N]`"""
        scaled: Floats = _sigmoid(self.slope * _logit(scores) + self.offset)
        return scaled

    def to_json(self) -> list[float]:
        """Both numbers."""
        return [self.slope, self.offset]

    @classmethod
    def from_json(cls, values: Any) -> Scaling | None:
        """The scaling of `to_json`; None for None."""
        return None if values is None else cls(float(values[0]), float(values[1]))


def fit_scaling(scores: Floats, right: NDArray[np.bool_], texts: NDArray[np.int64]) -> Scaling | None:
    """The scaling that fits; None where there are too few answers, or where it would not help on texts that it was not
    fitted on (each half is judged with the scaling of the other).

    Args:
        scores: `[N]` from 0 to 1.
        right: `[N]`
        texts: `[N]` the number of the text of each answer.
    """
    few = _FEWEST // 10
    if len(scores) < _FEWEST or right.sum() < few or (~right).sum() < few:
        return None
    if _loss(cross_scaled(scores, right, texts), right) >= _loss(scores, right):
        return None
    return _fitted(scores, right)


def cross_scaled(scores: Floats, right: NDArray[np.bool_], texts: NDArray[np.int64]) -> Floats:
    """`[N]`: the scores of each half of the texts, by turns, with the scaling that fits the other half: the answers of
    one text are not independent.
    """
    scaled = scores.copy()
    for half in (0, 1):
        here = texts % 2 == half
        scaled[here] = _fitted(scores[~here], right[~here])(scores[here])
    return scaled


def _fitted(scores: Floats, right: NDArray[np.bool_]) -> Scaling:
    """By Newton's method; the loss is convex."""
    inputs = np.stack([_logit(scores), np.ones_like(scores)], -1)
    start = np.array([1.0, 0.0])
    weights = start.copy()
    for _ in range(50):
        given = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (given - right) + _PULL * (weights - start)
        curvature = (inputs * (given * (1 - given))[:, None]).T @ inputs + _PULL * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return Scaling(float(weights[0]), float(weights[1]))


def _loss(scores: Floats, right: NDArray[np.bool_]) -> float:
    kept = np.clip(scores, _EDGE, 1 - _EDGE)
    return float(-np.where(right, np.log(kept), np.log1p(-kept)).mean())


def _logit(scores: Floats) -> Floats:
    kept = np.clip(scores, _EDGE, 1 - _EDGE)
    logits: Floats = np.log(kept) - np.log1p(-kept)
    return logits


def _sigmoid(values: Floats) -> Floats:
    given: Floats = 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    return given
