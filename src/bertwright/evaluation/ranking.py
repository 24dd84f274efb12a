"""How well a score puts the examples of one class before the others, whatever the threshold.

Where one class is rare, answers at the threshold of one half say little: nearly all may be the frequent class, and the
scores know which examples are more likely to be of the rare one all the same.

Shapes: N examples, G distinct scores, K kinds of example, R resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.evaluation.class_scores import Floats, Ints
from bertwright.evaluation.confidence import NUMBERS_AT_ONCE, Estimate, bootstrap


@dataclass(frozen=True, slots=True)
class Ranking:
    """Examples by score, the highest first; those of equal scores share a place.

    Attributes:
        positives: `[..., G]` examples of the class that should stand in front.
        negatives: `[..., G]` the others.
    """

    positives: Ints
    negatives: Ints


def roc_auc(ranking: Ranking) -> Floats:
    """`[...]` how often an example of the class stands before another one, were one of each drawn; ties count half.

    The area under the ROC curve (Hanley & McNeil 1982, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve"): 0.5 for chance. NaN where all examples are of one side.
    """
    positives, negatives = ranking.positives, ranking.negatives
    before = np.cumsum(positives, -1) - positives / 2
    pairs = positives.sum(-1).astype(np.float64) * negatives.sum(-1)
    return _quotient((negatives * before).sum(-1), pairs)


def average_precision(ranking: Ranking) -> Floats:
    """`[...]` the precision at each place, averaged over the examples of the class; NaN where there are none.

    The area under the curve of precision over recall, in steps (Davis & Goadrich 2006, "The relationship between
    Precision-Recall and ROC curves"). Chance gives the share of the class.
    """
    found = np.cumsum(ranking.positives, -1)
    precision = found / np.maximum(found + np.cumsum(ranking.negatives, -1), 1)
    return _quotient((ranking.positives * precision).sum(-1), ranking.positives.sum(-1).astype(np.float64))


def _quotient(part: Floats, whole: Floats) -> Floats:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def bootstrap_ranking(
    scores: Floats, is_positive: NDArray[np.bool_], metrics: Mapping[str, Callable[[Ranking], Floats]], **options: Any
) -> dict[str, Estimate]:
    """`bootstrap` of metrics of `scores [N]` for the class of `is_positive [N]`.

    Resamples without examples of both sides are left out. Nothing where the examples themselves are of one side.
    """
    if is_positive.all() or not is_positive.any():
        return {}
    distinct, places = np.unique(-scores, return_inverse=True)
    kinds, counts = np.unique(places * 2 + is_positive, return_counts=True)
    place, side = np.divmod(kinds, 2)

    def ranked(block: Ints) -> Ranking:
        """The ranking of `[r, K]` counts."""
        sides = np.zeros((2, len(block), len(distinct)), dtype=np.int64)
        sides[side, :, place] = block.T
        return Ranking(sides[1], sides[0])

    at_once = NUMBERS_AT_ONCE // 8  # a metric makes several arrays of its size
    return bootstrap(counts, ranked, metrics, at_once=at_once, **options)
