"""The steps of a training in parts that fit memory, each a function of its number alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bertwright.data.batches import epoch_order, split_by_tokens
from bertwright.data.examples import Example
from bertwright.data.ragged import Ragged
from bertwright.data.targets import TargetBatch, Targets
from bertwright.data.windows import EncodedTexts


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """A part of a step: as much of it as is computed at once.

    Attributes:
        batch: its inputs.
        targets: what is to be learnt of them, as the loss of the task reads it.
        weights: `[B]` how much each input counts; those of all parts of a step sum to 1.
        num_tokens: real tokens, those of texts that are to be written included.
    """

    batch: Ragged
    targets: TargetBatch
    weights: Tensor
    num_tokens: int


class Steps(Protocol):
    """The steps of a training, each a function of its number: who knows the number can go on from there."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps in a pass over the data."""

    def parts(self, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        """A step, counted from 0, in parts of at most `micro_tokens` tokens (at least one input each)."""

    def describe(self, step: int) -> list[dict[str, Any]]:
        """What a step reads, for a person: where it comes from, and its text."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples, ready to be read by a model. K examples, N ≥ K inputs.

    Attributes:
        examples: as the user wrote them.
        encoded: their inputs.
        targets: what is to be learnt of each input.
        weights: `[N]` how much each input counts.
    """

    examples: Sequence[Example]
    encoded: EncodedTexts
    targets: Targets
    weights: NDArray[np.float64]


class ExampleSteps:
    """All examples once an epoch, in an order that is a function of `(seed, epoch)`."""

    def __init__(self, data: Dataset, batch_size: int, seed: int) -> None:
        """`batch_size` examples make a step, all their windows included."""
        self._data, self._batch_size, self._seed = data, batch_size, seed
        self._lengths = data.encoded.lengths
        self._costs = self._lengths + data.targets.lengths  # what is computed for an input
        ends = np.cumsum(data.encoded.inputs_of)
        self._inputs_of = np.split(np.arange(len(self._lengths)), ends[:-1])  # of each text
        self._order: tuple[int, NDArray[np.int64]] | None = None  # the epoch it is of, and the order

    @property
    def steps_per_epoch(self) -> int:
        """Steps in a pass over the examples; the last one may be smaller."""
        return math.ceil(len(self._data.examples) / self._batch_size)

    def parts(self, step: int, micro_tokens: int) -> Iterator[MicroBatch]:
        """The windows of a step's texts, equal lengths side by side."""
        inputs = np.concatenate([self._inputs_of[text] for text in self._texts(step)])
        inputs = inputs[np.argsort(self._lengths[inputs], kind="stable")]
        total = float(self._data.weights[inputs].sum())
        for members in split_by_tokens(inputs, self._costs, micro_tokens):
            yield MicroBatch(
                Ragged.from_encoded([self._data.encoded.inputs[index] for index in members]),
                self._data.targets.take(members),
                torch.from_numpy((self._data.weights[members] / total).astype(np.float32)),
                int(self._costs[members].sum()),
            )

    def describe(self, step: int) -> list[dict[str, Any]]:
        """Place, text and label of the examples of a step."""
        members = [self._data.examples[text] for text in self._texts(step)]
        return [
            {"where": str(one.where), "text": one.text, "label": one.answer.to_json(one.text) if one.answer else None}
            for one in members
        ]

    def _texts(self, step: int) -> NDArray[np.int64]:
        epoch, index = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, epoch_order(len(self._data.examples), self._seed, epoch)
        return self._order[1][index * self._batch_size :][: self._batch_size]
