"""Holding out a part of the examples, by label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from bertwright.data.examples import Example
from bertwright.errors import BertwrightError


def hold_out(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Two parts, the second with about `share` of the examples of every label, each in the order given. Of tagged texts
    those with and those without a mark are what labels are of others.

    A label with a single example keeps it in the first part. The choice is a function of `seed`.

    Raises:
        BertwrightError: BW571 no label has two examples, so that nothing can be held out.
    """
    by_label: dict[Hashable, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        by_label[example.answer.stratum() if example.answer else None].append(index)
    rng = np.random.default_rng(seed)
    held: set[int] = set()
    for indices in by_label.values():
        count = min(max(round(share * len(indices)), 1), len(indices) - 1)
        held.update(rng.permutation(indices)[:count].tolist())
    if not held:
        raise BertwrightError("BW571", rows=len(examples), labels=len(by_label))
    kept = [example for index, example in enumerate(examples) if index not in held]
    return kept, [examples[index] for index in sorted(held)]
