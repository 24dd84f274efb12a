"""`Engine`: ragged batches to the raw outputs of a task, however they are computed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor

from bertwright.data.ragged import Ragged
from bertwright.model.models import BertWithHead
from bertwright.tasks.task import Answers, Outputs


class Engine(ABC):
    """A model that is ready to compute. Safe in threads: nothing changes after it was made.

    A package brings one by an entry point of the group `bertwright.engines`.

    Attributes:
        name: by which it is asked for.
        precisions: the numbers in which it can compute, such as `fp32`.
        precision: that of them in which it does.
        max_tokens: that it computes at once, about.
    """

    name: ClassVar[str]
    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    precision: str = "fp32"
    max_tokens: int = 4096

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, task: Answers[Any], device: str, precision: str) -> Self:
        """The engine for a model folder; `device` is such as `cpu` or `cuda:0`, `precision` one of `precisions`."""

    def ready(self) -> Engine:
        """The engine with the weights as they are at this moment; asked before each row of batches."""
        return self

    @abstractmethod
    def run(self, batch: Ragged) -> Outputs:
        """The outputs of the task for a batch."""

    def for_task(self, task: Answers[Any]) -> Engine:
        """The same, for a task that answers in another way; only where that changes the outputs."""
        return self

    @abstractmethod
    def weights(self) -> Mapping[str, Tensor]:
        """The weights of the model by name: a task may need some of them to decode."""

    @property
    def model(self) -> BertWithHead | None:
        """The module behind it, where there is one: what takes the true answers to measure needs it."""
        return None
