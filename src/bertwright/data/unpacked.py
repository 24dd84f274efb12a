"""The padded form as it is, for those who record a model: `torch.compile`, `torch.export`, `torch.jit.trace`.

What is recorded must hold for other lengths, so that nothing may depend on how many real tokens there are. Here every
place is a token, and a mask says which are real.

Shapes: B sequences, S longest sequence, T = B · S places.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bertwright.data.ragged import Places, Ragged, checked_padded


@dataclass(frozen=True, slots=True)
class EveryPlace(Places):
    """Places of which each is a token.

    Attributes:
        real: `[T]` bool, False at pads.
    """

    def pad(self, values: Tensor) -> Tensor:
        """`values [T, ...]` as `[B, S, ...]`, zero where there was a pad."""
        assert self.real is not None
        kept = values.masked_fill(~self.real.view(-1, *[1] * (values.dim() - 1)), 0)
        return kept.view(self.batch_size, self.width, *values.shape[1:])

    def pick(self, padded: Tensor) -> Tensor:
        """All places `[T, ...]` of `padded [B, S, ...]`."""
        return padded.reshape(self.batch_size * self.width, *padded.shape[2:])


@dataclass(frozen=True, slots=True)
class Unpacked(Ragged):
    """A batch of B sequences of S places; `lengths` is empty, as nobody may know them."""

    @property
    def mask(self) -> Tensor:
        """`[B, S]` bool, False at pads."""
        assert self.places is not None
        assert self.places.real is not None
        return self.places.real.view(self.places.batch_size, self.places.width)

    @property
    def batch_size(self) -> int:
        """B."""
        assert self.places is not None
        return self.places.batch_size

    def first_of_each(self, values: Tensor) -> Tensor:
        """The rows `[B, ...]` of `values [T, ...]` at the first real token of each sequence; zeros where none is."""
        mask = self.mask
        columns = mask.int().argmax(1)
        padded = values.view(*mask.shape, *values.shape[1:])
        first = padded[torch.arange(mask.shape[0], device=values.device), columns]
        return first.masked_fill(~mask.any(1).view(-1, *[1] * (values.dim() - 1)), 0)


def is_recorded() -> bool:
    """Whether what runs is being written down, to run again with other inputs."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]


def unpacked(
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    position_ids: Tensor | None = None,
) -> tuple[Unpacked, EveryPlace]:
    """What `from_padded` gives, with pads as tokens.

    Raises:
        BertwrightError: BW420 for a shape that does not fit `input_ids`.
    """
    positions = checked_padded(input_ids, attention_mask, token_type_ids, position_ids)
    batch_size, width = input_ids.shape
    mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    real = (mask != 0).reshape(-1)
    index = torch.arange(batch_size * width, device=input_ids.device)
    places = EveryPlace(index, batch_size, width, real)
    types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
    begins = torch.arange(batch_size + 1, device=input_ids.device, dtype=torch.int32) * width
    # An id at a pad may be anything; it stands for no row of the table.
    ids = places.pick(input_ids).masked_fill(~real, 0)
    types, positions = (places.pick(one).masked_fill(~real, 0) for one in (types, positions.expand(batch_size, width)))
    return Unpacked(ids, types, positions, begins, width, (), places), places
