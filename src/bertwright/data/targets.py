"""What is to be learnt of each input, in the form in which a batch of inputs needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Targets(Protocol):
    """The targets of N inputs."""

    def take(self, members: NDArray[np.int64]) -> Tensor:
        """Those of some inputs, in their order, as the loss of the task reads them."""


@dataclass(frozen=True, slots=True)
class RaggedTargets:
    """One number a token.

    Attributes:
        rows: of each input `[S]` int64.
    """

    rows: Sequence[NDArray[np.int64]]

    def take(self, members: NDArray[np.int64]) -> Tensor:
        """`[T]`: those of the inputs end to end."""
        return torch.from_numpy(np.concatenate([self.rows[index] for index in members]))


@dataclass(frozen=True, slots=True)
class RowTargets:
    """One row an input.

    Attributes:
        rows: `[N, …]`.
    """

    rows: Tensor

    def take(self, members: NDArray[np.int64]) -> Tensor:
        """`[n, …]`"""
        return self.rows[members]
