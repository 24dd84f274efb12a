"""Which examples make a batch: in training by `(seed, epoch)`, in prediction by length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def derive_seed(*key: int) -> int:
    """A 63-bit seed that is a function of `key`, such as `(seed, step)`; different keys are independent."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of `range(count)`, a function of its arguments alone."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def training_batch(order: np.ndarray, index: int, batch_size: int, lengths: np.ndarray) -> np.ndarray:
    """The `index`-th batch of an epoch, its members sorted by length, so that equal ones are neighbours."""
    chosen = order[index * batch_size : (index + 1) * batch_size]
    return chosen[np.argsort(lengths[chosen], kind="stable")]


def batches_by_length(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """All indices of `lengths`, longest first, in groups of at most `max_tokens` tokens (at least one member)."""
    group: list[int] = []
    tokens = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if group and tokens + lengths[index] > max_tokens:
            yield group
            group, tokens = [], 0
        group.append(index)
        tokens += lengths[index]
    if group:
        yield group
