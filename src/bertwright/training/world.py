"""The processes that train one model together, and everything they must agree on. Today that is a single one.

A step is a list of parts, and each process computes some of them. Weights are those of the whole step, so that
gradients, losses and measures are *summed* over the processes. Whatever a process finds out by itself (a signal, the
clock, free memory, a number that is none) becomes a decision only when all have answered; `Trainer` asks at the same
places in the same order everywhere. A world of many processes overrides all methods of this one, and nothing else has
to change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from torch import Tensor, nn

from bertwright.training.lesson import Lesson

T = TypeVar("T")


class World:
    """The world of one process: its answers are everybody's.

    Attributes:
        rank: number of this process, from 0.
        size: of how many.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_writer(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def share(self, parts: Iterable[T]) -> Iterable[T]:
        """The parts of a step that this process computes: of n processes, process r takes r, r + n, ...; equally many
        each.
        """
        return parts

    def spread(self, lesson: Lesson) -> nn.Module:
        """What is called instead of the lesson, such as the lesson in `DistributedDataParallel`; asked for before there
        are optimizers.
        """
        return lesson

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every parameter the sum of its gradients over the processes, where `spread` has not done it."""

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum of tensors of one shape, one of each process."""
        return numbers

    def least(self, number: int) -> int:
        """The smallest of the numbers."""
        return number

    def agree_any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        return flag

    def agree_all(self, flag: bool) -> bool:
        """Whether it is so in every process."""
        return flag

    def meet(self) -> None:
        """Wait here for the others."""


def this_world() -> World:
    """The world that this process is in."""
    return World()
