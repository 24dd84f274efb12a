"""The sums over all paths of a linear-chain CRF: what its probabilities are made of.

They are computed twice over: scaled, in the space of probabilities, which is fast, and in the space of logarithms,
which never underflows and takes over where the first one does.

Shapes: T positions in the batch, B sequences, S longest sequence, C tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from bertwright.model.crf.layout import Groups, Layout, arrays_of, groups_of, library_of

_STEPS_BETWEEN_SCALINGS = 8
_BYTES_AT_ONCE = 1 << 26  # of the pairs of tags that the recursion in logarithms holds at a time


class Messages(Protocol):
    """What the sums over all paths are good for.

    Attributes:
        log_z: `[B]` the logarithm of the sum over all paths.
    """

    log_z: Tensor

    def marginals(self) -> Tensor:
        """`[T, C]` probability of each tag at each position."""

    def pairs(self, weights: Tensor) -> Tensor:
        """`[C, C]`: how often a tag follows another one, expected, position `t` counting `weights [T]` of it."""

    def logarithms(self) -> tuple[Tensor, Tensor]:
        """`[T, C]` twice: log of the sum over all beginnings up to a tag, and over all ends from it.

        The emission at the position itself is in neither.
        """


def messages(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, layout: Layout) -> Messages:
    """The sums over all paths: scaled where that is exact enough, else in logarithms.

    Args:
        emissions: `[T, C]`, T > 0.
        transitions: `[C, C]` from row to column; -inf forbids.
        start, end: `[C]`.
    """
    # Where the device has no float64, all is done in float32, which is scaled at every step.
    kind = torch.float32 if emissions.device.type == "mps" else torch.float64
    given = (emissions.to(kind), transitions.to(kind), start.to(kind), end.to(kind))
    scaled = Scaled(*given, layout)
    return scaled if scaled.is_exact else Logarithmic(*given, layout)


class Scaled:
    """Forward and backward messages as probabilities, scaled every few steps (Rabiner 1989, section V.A).

    Each sequence stands in two chains, which run side by side: one from its beginning, one from its end over the
    transposed transitions.
    """

    def __init__(self, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, layout: Layout) -> None:
        self._layout = layout
        self._highest = emissions.amax(1)  # [T]
        self._potentials = (emissions - self._highest[:, None]).exp()  # [T, C]
        highest = transitions.max()
        self._transitions = (transitions - highest).exp()  # [C, C]
        begin = torch.stack([(start - start.max()).exp(), (end - end.max()).exp()])  # [2, C]
        self._before, self._after, self._scales = self._run(begin)  # [T, C], [T, C], [T]
        self._joined = self._before * self._potentials * self._after  # [T, C]
        self._z = self._joined.sum(1)  # [T], at each position the scaled sum over all paths
        # The logarithm by which `before` was divided, all steps up to the position together.
        steps = self._scales.log() + highest  # [T]
        steps[1:] += self._highest[:-1]
        steps[layout.firsts] = start.max()
        total = steps.cumsum(0)  # [T], over the whole batch: what stands before each sequence is taken off again
        skipped = (total - steps).index_select(0, layout.firsts)  # one for every sequence that is not empty
        self._scale = total - skipped.repeat_interleave(layout.on_device(layout.lengths[layout.lengths > 0]))
        self.log_z = layout.of_each(self._z.log() + self._scale + self._highest + end.max())

    @property
    def is_exact(self) -> bool:
        """Whether no number that counts was too small for its type."""
        smallest = 1e-200 if self._z.dtype == torch.float64 else 1e-25
        return bool((self._z > smallest).all())

    def _run(self, begin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both messages without the emission at their own position, `[T, C]`, and the scales of the first, `[T]`."""
        layout, potentials = self._layout, self._potentials
        longest, rows, tags = layout.sorted_lengths[0], layout.rows, potentials.shape[1]
        row = layout.row_of[layout.owner]  # [T]
        # Where each position stands in [S, 2, B]: in the chain from the beginning, and in the one from the end.
        ahead = layout.on_device(layout.time * (2 * rows) + row)  # [T]
        back = layout.on_device(layout.from_end * (2 * rows) + rows + row)  # [T]
        given = potentials.new_zeros(longest * 2 * rows, tags)  # [S·2·B, C]
        given.index_copy_(0, ahead, potentials).index_copy_(0, back, potentials)
        sums = torch.empty_like(given).view(longest, 2, rows, tags)  # [S, 2, B, C]
        sums[0] = begin[:, None]  # [2, 1, C]
        scales = potentials.new_ones(longest, 2, rows, 1)
        moves = torch.stack([self._transitions, self._transitions.T])  # [2, C, C], from to
        every = _STEPS_BETWEEN_SCALINGS if potentials.dtype == torch.float64 else 1
        arrays = arrays_of(given.view(longest, 2, rows, tags), sums, scales, moves)
        _sum_over_paths(arrays, groups_of(layout.sorted_lengths), every)
        flat = sums.view(-1, tags)  # [S·2·B, C]
        return flat.index_select(0, ahead), flat.index_select(0, back), scales.view(-1).index_select(0, ahead)

    def marginals(self) -> Tensor:
        return self._joined / self._z[:, None]

    def pairs(self, weights: Tensor) -> Tensor:
        follows = ~self._layout.is_last[:-1]  # whether the next position is of the same sequence
        share = weights[1:] * follows / (self._scales * self._z)[1:]  # [T - 1]
        left = (self._before * self._potentials)[:-1] * share[:, None]  # [T - 1, C]
        right = (self._after * self._potentials)[1:]  # [T - 1, C]
        return self._transitions * (left.T @ right)  # [C, C]

    def logarithms(self) -> tuple[Tensor, Tensor]:
        scale = self.log_z[self._layout.sequence_of] - self._z.log() - self._scale - self._highest  # [T]
        return self._before.log() + self._scale[:, None], self._after.log() + scale[:, None]


class Logarithmic:
    """Forward and backward messages as logarithms, in the words of the textbook; slow, and never too small."""

    def __init__(self, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, layout: Layout) -> None:
        self._emissions, self._transitions, self._layout = emissions, transitions, layout
        self._before = torch.empty_like(emissions)
        self._after = torch.empty_like(emissions)
        order = layout.on_device(layout.row_of.argsort())  # [B], the sequence of each row
        lengths = layout.on_device(layout.lengths)[order]
        ends = layout.on_device(layout.lengths.cumsum())[order]
        first, last = ends - lengths, ends - 1  # [B], positions in the batch
        for time in range(layout.sorted_lengths[0]):
            alive = sum(length > time for length in layout.sorted_lengths)  # rows, the longest first
            ahead, back = first[:alive] + time, last[:alive] - time  # [alive]
            if time == 0:
                self._before[ahead], self._after[back] = start, end
                continue
            left = self._before[ahead - 1] + emissions[ahead - 1]  # [alive, C]
            right = self._after[back + 1] + emissions[back + 1]  # [alive, C]
            self._before[ahead] = (left[:, :, None] + transitions).logsumexp(1)  # [alive, from, to] to [alive, to]
            self._after[back] = (right[:, None, :] + transitions).logsumexp(2)  # [alive, from, to] to [alive, from]
        self._z = (self._before + emissions + self._after).logsumexp(1)  # [T]
        self.log_z = layout.of_each(self._z)

    def marginals(self) -> Tensor:
        return (self._before + self._emissions + self._after - self._z[:, None]).exp()

    def pairs(self, weights: Tensor) -> Tensor:
        left = (self._before + self._emissions)[:-1]  # [T - 1, C]
        right = (self._after + self._emissions - self._z[:, None])[1:]  # [T - 1, C]
        share = weights[1:] * ~self._layout.is_last[:-1]  # [T - 1]
        total = torch.zeros_like(self._transitions)
        at_once = max(1, _BYTES_AT_ONCE // (8 * self._transitions.numel()))
        for begin in range(0, len(left), at_once):
            part = slice(begin, begin + at_once)
            mass = (left[part, :, None] + self._transitions + right[part, None, :]).exp()  # [t, from, to]
            total += torch.einsum("t,tij->ij", share[part], mass.masked_fill(share[part, None, None] == 0, 0.0))
        return total

    def logarithms(self) -> tuple[Tensor, Tensor]:
        return self._before, self._after


def _sum_over_paths(arrays: Sequence[Any], groups: Groups, every: int) -> None:
    """Fill `sums [S, 2, B, C]` from step 1 on: `(sums * given)` of the step before times `moves [2, C, C]`.

    Every so many steps what comes out is divided by its sum, which is left in `scales [S, 2, B, 1]`.
    """
    given, sums, scales, moves = arrays
    library = library_of(sums)
    work = library.empty_like(sums[0])  # [2, B, C]
    with np.errstate(all="ignore"):  # what underflows is found, and computed again
        for begin, stop, count in groups:
            # A view [2, count, C] of each step, made once: making them costs as much as the arithmetic.
            before = list(sums[begin - 1 : stop, :, :count])
            potentials = list(given[begin - 1 : stop - 1, :, :count])
            product = work[:, :count]
            for index, potential in enumerate(potentials):
                library.multiply(before[index], potential, out=product)
                library.matmul(product, moves, out=before[index + 1])
                if (begin + index) % every == 0:
                    scale = before[index + 1].sum(-1)[..., None]  # [2, count, 1]
                    before[index + 1] /= scale
                    scales[begin + index, :, :count] = scale
