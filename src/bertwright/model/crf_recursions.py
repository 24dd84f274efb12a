"""The recursions of a linear-chain CRF over a ragged batch: sums over all paths, and the best path.

The sums are computed twice over: scaled, in the space of probabilities, which is fast, and in the space of
logarithms, which never underflows and takes over where the first one does.

The loops over time are written once over operations that numpy and torch share: on a CPU numpy runs them, whose
calls cost a fraction of torch's; on other devices torch does.

Shapes: T positions in the batch, B sequences, S longest sequence, C tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Ints = NDArray[np.int64]
_STEPS_BETWEEN_SCALINGS = 8
_BYTES_AT_ONCE = 1 << 26  # of the pairs of tags that the recursion in logarithms holds at a time


class Layout:
    """Where the positions of a ragged batch stand when time runs first. Rows are sequences, the longest first.

    Index arithmetic is done on the host; what tensors need is brought to their device.

    Attributes:
        lengths: `[B]` of the sequences in their own order, on the host.
        row_of: `[B]` the row of each sequence, on the host.
        sorted_lengths: of the rows, on the host.
        sequence_of: `[T]` the sequence of each position.
        is_first, is_last: `[T]` whether the position begins, or ends, its sequence.
    """

    def __init__(self, cu_seqlens: Tensor, device: torch.device) -> None:
        """The layout of `cu_seqlens [B + 1]` for tensors on `device`."""
        bounds = cu_seqlens.cpu().numpy().astype(np.int64)
        self._device = device
        self.lengths: Ints = np.diff(bounds)
        order = np.argsort(-self.lengths, kind="stable")
        self.row_of: Ints = np.empty_like(order)
        self.row_of[order] = np.arange(len(order))
        self.sorted_lengths: list[int] = self.lengths[order].tolist()
        self.owner: Ints = np.repeat(np.arange(len(self.lengths)), self.lengths)
        self.time: Ints = np.arange(len(self.owner)) - bounds[self.owner]
        self.from_end: Ints = self.lengths[self.owner] - 1 - self.time
        self.sequence_of = self.on_device(self.owner)
        self.is_first = self.on_device(self.time == 0)
        self.is_last = self.on_device(self.from_end == 0)
        # The first and the last position of every sequence that has any.
        self.firsts = self.on_device(np.flatnonzero(self.time == 0))
        self.lasts = self.on_device(np.flatnonzero(self.from_end == 0))

    @property
    def rows(self) -> int:
        """B."""
        return len(self.sorted_lengths)

    def on_device(self, array: NDArray[Any]) -> Tensor:
        """The array as a tensor."""
        return torch.from_numpy(array).to(self._device)

    def sums(self, values: Tensor) -> Tensor:
        """`values [T]` summed over each sequence: `[B]`."""
        return values.new_zeros(self.rows).index_add_(0, self.sequence_of, values)

    def of_each(self, values: Tensor) -> Tensor:
        """`[B]`: what stands in `values [T]` at the last position of each sequence; 0 for an empty one."""
        picked = values.index_select(0, self.lasts)
        return values.new_zeros(self.rows).index_copy_(0, self.sequence_of.index_select(0, self.lasts), picked)


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
        self._highest = emissions.amax(1)
        self._potentials = (emissions - self._highest[:, None]).exp()
        highest = transitions.max()
        self._transitions = (transitions - highest).exp()
        begin = torch.stack([(start - start.max()).exp(), (end - end.max()).exp()])
        self._before, self._after, self._scales = self._run(begin)
        self._joined = self._before * self._potentials * self._after
        self._z = self._joined.sum(1)
        # The logarithm by which `before` was divided, all steps up to the position together.
        steps = self._scales.log() + highest
        steps[1:] += self._highest[:-1]
        steps[layout.firsts] = start.max()
        total = steps.cumsum(0)
        skipped = (total - steps).index_select(0, layout.firsts)
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
        row = layout.row_of[layout.owner]
        ahead = layout.on_device(layout.time * (2 * rows) + row)
        back = layout.on_device(layout.from_end * (2 * rows) + rows + row)
        given = potentials.new_zeros(longest * 2 * rows, tags)
        given.index_copy_(0, ahead, potentials).index_copy_(0, back, potentials)
        sums = torch.empty_like(given).view(longest, 2, rows, tags)
        sums[0] = begin[:, None]
        scales = potentials.new_ones(longest, 2, rows, 1)
        moves = torch.stack([self._transitions, self._transitions.T])
        every = _STEPS_BETWEEN_SCALINGS if potentials.dtype == torch.float64 else 1
        arrays = _arrays(given.view(longest, 2, rows, tags), sums, scales, moves)
        _sum_over_paths(arrays, groups_of(layout.sorted_lengths), every)
        flat = sums.view(-1, tags)
        return flat.index_select(0, ahead), flat.index_select(0, back), scales.view(-1).index_select(0, ahead)

    def marginals(self) -> Tensor:
        return self._joined / self._z[:, None]

    def pairs(self, weights: Tensor) -> Tensor:
        follows = ~self._layout.is_last[:-1]  # whether the next position is of the same sequence
        share = weights[1:] * follows / (self._scales * self._z)[1:]
        left = (self._before * self._potentials)[:-1] * share[:, None]
        right = (self._after * self._potentials)[1:]
        return self._transitions * (left.T @ right)

    def logarithms(self) -> tuple[Tensor, Tensor]:
        scale = self.log_z[self._layout.sequence_of] - self._z.log() - self._scale - self._highest
        return self._before.log() + self._scale[:, None], self._after.log() + scale[:, None]


class Logarithmic:
    """Forward and backward messages as logarithms, in the words of the textbook; slow, and never too small."""

    def __init__(self, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, layout: Layout) -> None:
        self._emissions, self._transitions, self._layout = emissions, transitions, layout
        self._before = torch.empty_like(emissions)
        self._after = torch.empty_like(emissions)
        order = layout.on_device(layout.row_of.argsort())
        lengths = layout.on_device(layout.lengths)[order]
        ends = layout.on_device(layout.lengths.cumsum())[order]
        first, last = ends - lengths, ends - 1
        for time in range(layout.sorted_lengths[0]):
            alive = sum(length > time for length in layout.sorted_lengths)
            ahead, back = first[:alive] + time, last[:alive] - time
            if time == 0:
                self._before[ahead], self._after[back] = start, end
                continue
            left = (self._before + emissions)[ahead - 1]
            right = (self._after + emissions)[back + 1]
            self._before[ahead] = (left[:, :, None] + transitions).logsumexp(1)
            self._after[back] = (right[:, None, :] + transitions).logsumexp(2)
        self._z = (self._before + emissions + self._after).logsumexp(1)
        self.log_z = layout.of_each(self._z)

    def marginals(self) -> Tensor:
        return (self._before + self._emissions + self._after - self._z[:, None]).exp()

    def pairs(self, weights: Tensor) -> Tensor:
        left = (self._before + self._emissions)[:-1]
        right = (self._after + self._emissions - self._z[:, None])[1:]
        share = weights[1:] * ~self._layout.is_last[:-1]
        total = torch.zeros_like(self._transitions)
        at_once = max(1, _BYTES_AT_ONCE // (8 * self._transitions.numel()))
        for begin in range(0, len(left), at_once):
            part = slice(begin, begin + at_once)
            mass = (left[part, :, None] + self._transitions + right[part, None, :]).exp()
            total += torch.einsum("t,tij->ij", share[part], mass.masked_fill(share[part, None, None] == 0, 0.0))
        return total

    def logarithms(self) -> tuple[Tensor, Tensor]:
        return self._before, self._after


def best_paths(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, layout: Layout) -> Tensor:
    """`[T]` int64: the tags of the best path of each sequence (Viterbi 1967; Forney 1973).

    Each sequence is walked from both ends at once, which halves the steps: the chains meet in the middle, where
    the best pair of tags (for an odd length: the best tag) is chosen, and the paths are followed back from there.
    """
    tags, rows = emissions.shape[1], layout.rows
    halves = [(length + 1) // 2 for length in layout.sorted_lengths]
    # Chain 2b runs over the first half of row b, chain 2b + 1 over the second half, from the end. Where the length
    # is odd, the second one takes a last step onto the middle without its emission.
    is_left = layout.time < ((layout.lengths + 1) // 2)[layout.owner]
    step = np.where(is_left, layout.time, layout.from_end)
    place = layout.on_device(step * (2 * rows) + 2 * layout.row_of[layout.owner] + ~is_left)
    given = emissions.new_zeros(halves[0] * 2 * rows, tags).index_copy_(0, place, emissions)
    given = given.view(halves[0], 2 * rows, tags).transpose(1, 2).contiguous()  # [S, C, 2B]
    moves = torch.stack([transitions, transitions.T], -1).repeat(1, 1, rows)  # [from, to, 2B]
    best = torch.empty_like(given)
    best[0] = given[0] + torch.stack([start, end], -1).repeat(1, rows)
    groups = [(begin, stop, 2 * count) for begin, stop, count in groups_of(halves)]
    _best_over_paths(_arrays(given, best, moves), _merged(groups))

    best = best.transpose(1, 2).contiguous()  # [S, 2B, C]
    ends = np.repeat(np.maximum(halves, 1) - 1, 2) * (2 * rows) + np.arange(2 * rows)
    last = layout.on_device(ends)
    left, right = best.view(-1, tags).index_select(0, last).view(rows, 2, tags).unbind(1)
    is_odd = layout.on_device(np.array(layout.sorted_lengths) % 2 == 1)
    same = torch.full_like(transitions, -torch.inf).fill_diagonal_(0.0)
    join = torch.where(is_odd[:, None, None], same, transitions)
    meeting = (left[:, :, None] + join + right[:, None, :]).flatten(1).argmax(1)
    entry = torch.stack([meeting // tags, meeting % tags + tags], 1).flatten()

    offsets = layout.on_device(np.arange(2 * rows) % 2 * tags)  # the second chain's tags count from C
    found = entry.new_zeros(halves[0] * 2 * rows).index_copy_(0, last, entry).view(halves[0], 2 * rows)
    table = torch.cat([transitions.T, transitions])  # [2C, from]: what leads to each tag, in each direction
    _follow_back(_arrays(best, table, found, offsets), groups)
    return found.view(-1).index_select(0, place) % tags


def groups_of(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """`(begin, stop, count)`: at the steps from 1 on in `[begin, stop)` the first `count` rows go on.

    `lengths` are of the rows, falling.
    """
    groups = []
    begin = 1
    for count in range(len(lengths), 0, -1):
        if lengths[count - 1] > begin:
            groups.append((begin, lengths[count - 1], count))
            begin = lengths[count - 1]
    return groups


def _merged(groups: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Fewer groups, of at most twice the rows: whole arrays are faster than parts of them nearly as large."""
    merged: list[tuple[int, int, int]] = []
    for begin, stop, count in groups:
        if merged and 2 * count > merged[-1][2]:
            merged[-1] = (merged[-1][0], stop, merged[-1][2])
        else:
            merged.append((begin, stop, count))
    return merged


def _arrays(*tensors: Tensor) -> list[Any]:
    """The tensors, or on a CPU their memory as numpy arrays."""
    return [tensor.numpy() if tensor.device.type == "cpu" else tensor for tensor in tensors]


def _library(array: Any) -> ModuleType:
    return torch if isinstance(array, Tensor) else np


def _sum_over_paths(arrays: Sequence[Any], groups: Sequence[tuple[int, int, int]], every: int) -> None:
    """Fill `sums [S, 2, B, C]` from step 1 on: `(sums * given)` of the step before times `moves [2, C, C]`."""
    given, sums, scales, moves = arrays
    library = _library(sums)
    work = library.empty_like(sums[0])
    with np.errstate(all="ignore"):  # what underflows is found, and computed again
        for begin, stop, count in groups:
            before = list(sums[begin - 1 : stop, :, :count])
            potentials = list(given[begin - 1 : stop - 1, :, :count])
            product = work[:, :count]
            for index, potential in enumerate(potentials):
                library.multiply(before[index], potential, out=product)
                library.matmul(product, moves, out=before[index + 1])
                if (begin + index) % every == 0:
                    scale = before[index + 1].sum(-1)[..., None]
                    before[index + 1] /= scale
                    scales[begin + index, :, :count] = scale


def _best_over_paths(arrays: Sequence[Any], groups: Sequence[tuple[int, int, int]]) -> None:
    """Fill `best [S, C, 2B]` from step 1 on: the best of the step before plus `moves [C, C, 2B]`, plus `given`."""
    given, best, moves = arrays
    library = _library(best)
    work = library.empty_like(moves)
    largest = np.maximum.reduce if library is np else torch.amax
    for begin, stop, count in groups:
        before = list(best[begin - 1 : stop - 1, :, None, :count])
        after = list(best[begin:stop, :, :count])
        emissions = list(given[begin:stop, :, :count])
        move, candidates = moves[:, :, :count], work[:, :, :count]
        for here, there, emission in zip(before, after, emissions):
            library.add(here, move, out=candidates)
            largest(candidates, 0, out=there)
            library.add(there, emission, out=there)


def _follow_back(arrays: Sequence[Any], groups: Sequence[tuple[int, int, int]]) -> None:
    """Fill `found [S, 2B]`, which holds the last tag of each chain, towards the first step.

    `best [S, 2B, C]`; a tag is a row of `table [2C, C]`, its direction's `offsets` added.
    """
    best, table, found, offsets = arrays
    library = _library(best)
    for begin, stop, count in reversed(groups):
        scores = list(best[begin - 1 : stop - 1, :count])
        tags = list(found[begin - 1 : stop, :count])
        offset = offsets[:count]
        for index in range(stop - begin - 1, -1, -1):
            candidates = table[tags[index + 1]]
            candidates += scores[index]
            library.add(candidates.argmax(-1), offset, out=tags[index])
