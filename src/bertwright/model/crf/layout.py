"""Where the positions of a ragged batch stand when time runs first, as a CRF walks them.

The loops over time are written once over operations that numpy and torch share: on a CPU numpy runs them, whose
calls cost a fraction of torch's; on other devices torch does.

Shapes: T positions in the batch, B sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Ints = NDArray[np.int64]
Groups = Sequence[tuple[int, int, int]]


class Layout:
    """Where the positions of a ragged batch stand when time runs first. Rows are sequences, the longest first.

    Index arithmetic is done on the host; what tensors need is brought to their device.

    Attributes:
        lengths: `[B]` of the sequences in their own order, on the host.
        row_of: `[B]` the row of each sequence, on the host.
        sorted_lengths: of the rows, on the host.
        owner: `[T]` the sequence of each position, on the host.
        time, from_end: `[T]` positions before and after each one in its sequence, on the host.
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

    @cached_property
    def sequence_of(self) -> Tensor:
        """`[T]` the sequence of each position."""
        return self.on_device(self.owner)

    @cached_property
    def is_first(self) -> Tensor:
        """`[T]` whether the position begins its sequence."""
        return self.on_device(self.time == 0)

    @cached_property
    def is_last(self) -> Tensor:
        """`[T]` whether the position ends its sequence."""
        return self.on_device(self.from_end == 0)

    @cached_property
    def firsts(self) -> Tensor:
        """The first position of every sequence that has any."""
        return self.on_device(np.flatnonzero(self.time == 0))

    @cached_property
    def lasts(self) -> Tensor:
        """The last position of every sequence that has any."""
        return self.on_device(np.flatnonzero(self.from_end == 0))

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


def groups_of(lengths: Sequence[int]) -> Groups:
    """`(begin, stop, count)`: at the steps from 1 on in `[begin, stop)` the first `count` rows go on.

    `lengths` are of the rows, falling.
    """
    groups: list[tuple[int, int, int]] = []
    begin = 1
    for count in range(len(lengths), 0, -1):
        if lengths[count - 1] > begin:
            groups.append((begin, lengths[count - 1], count))
            begin = lengths[count - 1]
    return groups


def arrays_of(*tensors: Tensor) -> list[Any]:
    """The tensors, or on a CPU their memory as numpy arrays."""
    return [tensor.numpy() if tensor.device.type == "cpu" else tensor for tensor in tensors]


def library_of(array: Any) -> ModuleType:
    return torch if isinstance(array, Tensor) else np


def contiguous(array: Any) -> Any:
    """The array with its numbers in the order of its axes."""
    return array.contiguous() if isinstance(array, Tensor) else np.ascontiguousarray(array)
