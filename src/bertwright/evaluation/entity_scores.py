"""Scores of marked parts of texts: an entity is right if its place and its type are.

Shapes: N texts, C types.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertwright.evaluation.calibration import ReliabilityTable, reliability_table
from bertwright.evaluation.class_scores import Floats, Ints
from bertwright.evaluation.confidence import Estimate, bootstrap_interval


@dataclass(frozen=True, slots=True)
class EntityCounts:
    """Entities counted type by type.

    Attributes:
        types: the C names, in alphabetical order.
        true, found, right: `[C]` entities in the data, in the answers, and in both.
        of_texts: `[N, 3]` true, found and right ones of each text, all types together.
    """

    types: tuple[str, ...]
    true: Ints
    found: Ints
    right: Ints
    of_texts: Ints

    @classmethod
    def of(cls, gold: Sequence[Sequence[Any]], answers: Sequence[Sequence[Any]]) -> EntityCounts:
        """Counts over N texts.

        An entity is whatever has `start`, `end` and `type`; one that is there twice counts once.
        """
        true = [_keys(one) for one in gold]
        found = [_keys(one) for one in answers]
        types = tuple(sorted({kind for keys in (*true, *found) for _, _, kind in keys}))
        number = {kind: index for index, kind in enumerate(types)}
        counts = np.zeros((3, len(types)), dtype=np.int64)
        of_texts = np.zeros((len(true), 3), dtype=np.int64)
        for index, (expected, given) in enumerate(zip(true, found)):
            for row, keys in enumerate((expected, given, expected & given)):
                of_texts[index, row] = len(keys)
                for _, _, kind in keys:
                    counts[row, number[kind]] += 1
        return cls(types, counts[0], counts[1], counts[2], of_texts)

    @property
    def f1(self) -> float:
        """Over all entities (micro average)."""
        return float(f1_of(self.of_texts.sum(0)))

    @property
    def precision(self) -> float:
        """Share of the answers that are right; 0 where there are none."""
        return float(self.right.sum() / max(self.found.sum(), 1))

    @property
    def recall(self) -> float:
        """Share of the true entities that are found; 0 where there are none."""
        return float(self.right.sum() / max(self.true.sum(), 1))

    @property
    def macro_f1(self) -> float:
        """The mean over the types."""
        return float(self.f1_of_types().mean()) if self.types else 0.0

    def f1_of_types(self) -> Floats:
        """`[C]`"""
        return f1_of(np.stack([self.true, self.found, self.right], -1))

    def interval(self) -> Estimate:
        """The F1 with its interval, from resampling the texts."""
        return bootstrap_interval(self.of_texts.astype(np.float64), f1_of)

    def to_json(self) -> dict[str, Any]:
        """A JSON object for each type: precision, recall, F1 and counts."""
        rows = zip(
            self.types, self.true.tolist(), self.found.tolist(), self.right.tolist(), self.f1_of_types().tolist()
        )
        return {
            kind: {
                "precision": right / max(found, 1),
                "recall": right / max(true, 1),
                "f1": f1,
                "true": true,
                "found": found,
                "right": right,
            }
            for kind, true, found, right, f1 in rows
        }


def f1_of(counts: Any) -> Floats:
    """`[…]` from `[…, 3]` true, found and right ones: `2 right / (true + found)`, 0 where there is nothing."""
    counts = np.asarray(counts, dtype=np.float64)
    total = counts[..., 0] + counts[..., 1]
    scores: Floats = 2 * counts[..., 2] / np.where(total == 0, 1, total)
    return scores


def entity_reliability(gold: Sequence[Sequence[Any]], answers: Sequence[Sequence[Any]]) -> ReliabilityTable:
    """The scores of the answers (`score`, 0 to 1) against the share of them that are right; `.error()` is the ECE.

    Source: Guo et al. 2017, section 2, with entities for examples.
    """
    scores: list[float] = []
    right: list[int] = []
    for expected, given in zip(gold, answers):
        keys = _keys(expected)
        for one in given:
            scores.append(one.score)
            right.append((one.start, one.end, one.type) in keys)
    return reliability_table(np.array(scores, dtype=np.float64), np.array(right, dtype=np.int64))


def _keys(entities: Sequence[Any]) -> set[tuple[Hashable, Hashable, str]]:
    return {(one.start, one.end, one.type) for one in entities}
