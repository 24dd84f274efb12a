"""Which examples make a batch: in training by `(seed, epoch)`, in prediction by length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def derive_seed(*key: int) -> int:
    """A 63-bit seed that is a function of `key`, such as `(seed, step)`; different keys are independent."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """A permutation of `range(count)`, a function of its arguments alone."""
    return np.random.default_rng((seed, epoch)).permutation(count).astype(np.int64)


def batches_by_length(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """All indices of `lengths`, longest first, in groups of at most `max_tokens` tokens (at least one member)."""
    counts = np.array(lengths, dtype=np.int64)
    return (group.tolist() for group in split_by_tokens(np.argsort(-counts, kind="stable"), counts, max_tokens))


def split_by_tokens(
    members: NDArray[np.int64], lengths: NDArray[np.int64], max_tokens: int
) -> Iterator[NDArray[np.int64]]:
    """`members` in their order, in parts of at most `max_tokens` tokens (at least one member); `lengths` is of all."""
    part: list[int] = []
    tokens = 0
    for member in members.tolist():
        length = int(lengths[member])
        if part and tokens + length > max_tokens:
            yield np.array(part)
            part, tokens = [], 0
        part.append(member)
        tokens += length
    if part:
        yield np.array(part)
