"""What is to be learnt of each input, in the form in which a batch of inputs needs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.ragged import Ragged


class TargetBatch(Protocol):
    """The targets of some inputs, as the loss of a task reads them: a tensor, or what holds some."""

    def to(self, device: torch.device, /) -> Self:
        """The same on `device`."""


class Targets(ABC):
    """The targets of N inputs."""

    @abstractmethod
    def take(self, members: NDArray[np.int64]) -> TargetBatch:
        """Those of some inputs, in their order."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """`[N]` tokens that are written to learn them, beside those that are read; `[1]` where none are."""
        return np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class RaggedTargets(Targets):
    """One number a token.

    Attributes:
        rows: of each input `[S]` int64.
    """

    rows: Sequence[NDArray[np.int64]]

    def take(self, members: NDArray[np.int64]) -> Tensor:
        """`[T]`: those of the inputs end to end."""
        return torch.from_numpy(np.concatenate([self.rows[index] for index in members]))


@dataclass(frozen=True)
class RowTargets(Targets):
    """One row an input.

    Attributes:
        rows: `[N, …]`.
    """

    rows: Tensor

    def take(self, members: NDArray[np.int64]) -> Tensor:
        """`[n, …]`"""
        return self.rows[members]


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """Texts that a decoder learns to write. T tokens.

    Attributes:
        inputs: each text without its last token.
        labels: `[T]` the token that follows each of them.
    """

    inputs: Ragged
    labels: Tensor

    def to(self, device: torch.device, /) -> WrittenBatch:
        """The same on `device`."""
        return WrittenBatch(self.inputs.to(device), self.labels.to(device, non_blocking=True))


@dataclass(frozen=True)
class TextTargets(Targets):
    """One text an input.

    Attributes:
        rows: of each input the ids of its target, from the token that begins it to the one that ends it.
    """

    rows: Sequence[NDArray[np.int64]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """`[N]`: all tokens of a text but the first."""
        return np.array([len(row) - 1 for row in self.rows], dtype=np.int64)

    def take(self, members: NDArray[np.int64]) -> WrittenBatch:
        """Those of some inputs, end to end."""
        rows = [self.rows[index] for index in members]
        ids = torch.from_numpy(np.concatenate([row[:-1] for row in rows]))
        positions = torch.from_numpy(np.concatenate([np.arange(len(row) - 1) for row in rows]))
        inputs = Ragged.of(ids, torch.zeros_like(ids), positions, [len(row) - 1 for row in rows])
        return WrittenBatch(inputs, torch.from_numpy(np.concatenate([row[1:] for row in rows])))
