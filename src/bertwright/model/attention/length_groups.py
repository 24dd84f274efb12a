"""Sequences of like length, side by side: few large products in place of many small ones, and little padding.

Only inside attention, whose cost lies in the number of its products and not in their size, are short sequences of a
CPU batch padded to those a little longer; the linear layers around it see real tokens only.

Shapes: B sequences, P places of the padded form, S longest sequence of a group, T tokens, A heads, D head size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Ints = NDArray[np.int64]
_MOST_CELLS = 1 << 17  # of the score matrices of one head in a group: they stay in the cache of a core


@dataclass(frozen=True, slots=True)
class Group:
    """Sequences that share a product.

    Attributes:
        count: n, how many they are.
        width: S, the longest of them.
        bias: `[n, 1, S]` 0 at real tokens and minus infinity at pads; None where there is no pad.
    """

    count: int
    width: int
    bias: Tensor | None

    def by_head(self, part: Tensor) -> Tensor:
        """The places of the group `[n·S, k, A, D]` as `[k, n·A, S, D]`."""
        _, kinds, heads, size = part.shape
        split = part.view(self.count, self.width, kinds, heads, size).permute(2, 0, 3, 1, 4)  # [k, n, A, S, D]
        return split.reshape(kinds, self.count * heads, self.width, size)

    def by_place(self, values: Tensor, out: Tensor) -> None:
        """The way back: write `[k, n·A, S, D]` to `out [n·S, k, A, D]`."""
        _, kinds, heads, size = out.shape
        split = values.view(kinds, self.count, heads, self.width, size).permute(1, 3, 0, 2, 4)  # [n, S, k, A, D]
        out.view(self.count, self.width, kinds, heads, size).copy_(split)


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a batch, shortest first, and the way there and back.

    Attributes:
        groups: empty sequences are in none, except as targets of pairs.
        source: `[P]` the token that each place is a copy of; pads copy the first token of their sequence.
        place: `[T]` the place that each token went to.
        order: which sequences the groups hold, one group after the other.
        in_place: whether the padded form is the batch itself: nothing moved, nothing padded.
    """

    groups: tuple[Group, ...]
    source: Tensor
    place: Tensor
    order: Tensor
    in_place: bool

    def split(self, padded: Tensor) -> tuple[Tensor, ...]:
        """`padded [P, …]`, group by group."""
        return torch.split(padded, [group.count * group.width for group in self.groups])

    def pad(self, values: Tensor) -> Tensor:
        """`values [T, …]` as `[P, …]`."""
        return values if self.in_place else values.index_select(0, self.source)

    def pad_with_zeros(self, values: Tensor) -> Tensor:
        """`values [T, …]` as `[P, …]`, zero at pads."""
        if self.in_place:
            return values
        return values.new_zeros(self.source.numel(), *values.shape[1:]).index_copy_(0, self.place, values)

    def pick(self, padded: Tensor) -> Tensor:
        """The real places of `padded [P, …]`, as `[T, …]`."""
        return padded if self.in_place else padded.index_select(0, self.place)


@lru_cache(maxsize=16)  # every layer of a model asks for the same one
@torch.inference_mode(mode=False)  # what an evaluation asked for first is used in training, too
def group_by_length(lengths: tuple[int, ...]) -> Grouping:
    """Groups in which no sequence is padded by more than a quarter and four tokens."""
    order = [index for index in np.argsort(lengths, kind="stable").tolist() if lengths[index]]
    return _grouping(cut(order, lengths, lengths), lengths)


@lru_cache(maxsize=16)
@torch.inference_mode(mode=False)
def pair_by_length(targets: tuple[int, ...], sources: tuple[int, ...]) -> tuple[Grouping, Grouping]:
    """Groups of pairs, the same on both sides, in which no source is padded by more than a quarter and four tokens, and
    targets by little more; a target without a token has pads only.
    """
    order = sorted(range(len(targets)), key=lambda index: (sources[index], targets[index]))
    groups = cut(order, targets, sources)
    return _grouping(groups, targets), _grouping(groups, sources)


def _grouping(members: Sequence[Sequence[int]], lengths: Sequence[int]) -> Grouping:
    starts = np.cumsum([0, *lengths[:-1]])
    total = sum(lengths)
    place = np.empty(total, dtype=np.int64)
    groups, sources, done = [], [np.zeros(0, dtype=np.int64)], 0
    for group in members:
        source, real = side_by_side([lengths[index] for index in group], np.minimum(starts[group], total - 1))
        place[source[real]] = done + np.flatnonzero(real)
        groups.append(Group(len(group), source.shape[1], pad_bias(real)))
        sources.append(source.ravel())
        done += source.size
    source = np.concatenate(sources)
    in_place = done == total and bool((source == np.arange(total)).all())
    order = torch.tensor([index for group in members for index in group])
    return Grouping(tuple(groups), torch.from_numpy(source), torch.from_numpy(place), order, in_place)


def cut(order: Sequence[int], queries: Sequence[int], keys: Sequence[int]) -> list[list[int]]:
    """`order`, sorted by the length of the keys, in groups: none is padded by more than a quarter and four tokens.

    `queries` and `keys` are the lengths of both sides, which in self-attention are the same.
    """
    groups: list[list[int]] = []
    widest = longest = 0
    for index in order:
        longest = max(longest, queries[index])
        cells = (len(groups[-1]) + 1) * longest * keys[index] if groups else 0
        if not groups or keys[index] > widest or cells > _MOST_CELLS:
            groups.append([])
            widest, longest = keys[index] + keys[index] // 4 + 4, queries[index]
        groups[-1].append(index)
    return groups


def side_by_side(lengths: Sequence[int], starts: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """`[n, S]` twice, for sequences of these lengths that begin at these tokens: the token at each place, and whether
    it is real. Pads copy the first token of their sequence.
    """
    columns = np.arange(max(lengths))
    real = columns < np.array(lengths)[:, None]
    return starts[:, None] + np.where(real, columns, 0), real


def pad_bias(real: NDArray[np.bool_]) -> Tensor | None:
    """`[n, 1, S]` from `real [n, S]`: minus infinity at pads, else 0; None where there is no pad."""
    if real.all():
        return None
    return torch.zeros(real.shape).masked_fill_(torch.from_numpy(~real), -torch.inf)[:, None]
