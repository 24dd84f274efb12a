"""`Ragged`: a batch as the tokens of its sequences laid end to end. Nothing here is a pad.

Shapes: T tokens in the batch, B sequences, S longest sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from bertwright.errors import BertwrightError

if TYPE_CHECKING:
    from bertwright.text.tokenizer.encoded import Encoded


@dataclass(frozen=True, slots=True)
class Ragged:
    """B sequences with T tokens in all.

    Attributes:
        input_ids: `[T]` int64 token ids.
        token_type_ids: `[T]` int64, 0 for the first text and 1 for the second.
        position_ids: `[T]` int64 rows of the position table.
        cu_seqlens: `[B + 1]` int32; sequence `b` is `[cu_seqlens[b], cu_seqlens[b + 1])`.
        max_seqlen: S.
        lengths: the B lengths on the host, so that no code has to wait for the device to learn them.
        places: where the tokens stand in the padded form, if whoever watches shall see that.
    """

    input_ids: Tensor
    token_type_ids: Tensor
    position_ids: Tensor
    cu_seqlens: Tensor
    max_seqlen: int
    lengths: tuple[int, ...]
    places: Places | None = None

    @classmethod
    def of(cls, input_ids: Tensor, token_type_ids: Tensor, position_ids: Tensor, lengths: Sequence[int]) -> Ragged:
        """A batch from tokens that already lie end to end, on the device of `input_ids`."""
        cu_seqlens = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=input_ids.device)
        return cls(input_ids, token_type_ids, position_ids, cu_seqlens, max(lengths, default=0), tuple(lengths))

    @classmethod
    def from_encoded(cls, encoded: Sequence[Encoded]) -> Ragged:
        """A batch of the toolkit's own encodings, on the CPU; positions count from 0 in each sequence."""
        lengths = [len(one.input_ids) for one in encoded]
        positions = np.concatenate([np.arange(length) for length in lengths])
        return cls.of(
            torch.from_numpy(np.concatenate([one.input_ids for one in encoded]).astype(np.int64)),
            torch.from_numpy(np.concatenate([one.token_type_ids for one in encoded]).astype(np.int64)),
            torch.from_numpy(positions),
            lengths,
        )

    @property
    def device(self) -> torch.device:
        """Where the tokens are."""
        return self.input_ids.device

    @property
    def num_tokens(self) -> int:
        """T."""
        return self.input_ids.numel()

    @property
    def batch_size(self) -> int:
        """B."""
        return len(self.lengths)

    def first_of_each(self, values: Tensor) -> Tensor:
        """The rows `[B, ...]` of `values [T, ...]` at the first token of each sequence: [CLS].

        A sequence without a token (a row of the padded form whose mask is all zero) gives a row of zeros.
        """
        starts = self.cu_seqlens[:-1].long()
        if all(self.lengths):
            return values[starts]
        empty = torch.tensor([length == 0 for length in self.lengths], device=values.device)
        padded = torch.cat([values, values.new_zeros(1, *values.shape[1:])])
        return padded[torch.where(empty, values.shape[0], starts)]

    def to(self, device: torch.device | str) -> Ragged:
        """The same batch on `device`."""
        return replace(
            self,
            input_ids=self.input_ids.to(device, non_blocking=True),
            token_type_ids=self.token_type_ids.to(device, non_blocking=True),
            position_ids=self.position_ids.to(device, non_blocking=True),
            cu_seqlens=self.cu_seqlens.to(device, non_blocking=True),
            places=self.places and replace(self.places, index=self.places.index.to(device, non_blocking=True)),
        )


@dataclass(frozen=True, slots=True)
class Places:
    """Where the tokens of a `Ragged` stand in the padded form they came from.

    Attributes:
        index: `[T]` int64 places in the flattened `[B * S]` form.
        batch_size: B.
        width: S, pads included.
        real: `[T]` bool, which of them are real tokens; None where all are.
    """

    index: Tensor
    batch_size: int
    width: int
    real: Tensor | None = None

    def pad(self, values: Tensor) -> Tensor:
        """`values [T, ...]` as `[B, S, ...]`, zero where there was a pad."""
        padded = values.new_zeros(self.batch_size * self.width, *values.shape[1:])
        return padded.index_copy(0, self.index, values).view(self.batch_size, self.width, *values.shape[1:])

    def pick(self, padded: Tensor) -> Tensor:
        """The real places `[T, ...]` of `padded [B, S, ...]`."""
        return padded.reshape(self.batch_size * self.width, *padded.shape[2:])[self.index]


def from_lengths(lengths: Sequence[int], device: torch.device) -> Places:
    """Where the tokens of sequences of these lengths stand in a padded form `[B, S]`, pads at the right."""
    width = max(lengths, default=0)
    real = torch.arange(width) < torch.tensor(lengths)[:, None]
    return Places(real.flatten().nonzero().squeeze(1).to(device), len(lengths), width)


def from_padded(
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    position_ids: Tensor | None = None,
) -> tuple[Ragged, Places]:
    """Pack the padded form.

    Args:
        input_ids: `[B, S]`.
        attention_mask: `[B, S]`, zero (or False) at pads; these may stand left, right or in between.
        token_type_ids: `[B, S]`, default all 0.
        position_ids: `[B, S]` or `[1, S]`, default the columns 0 … S-1, pads counted (as the peers do).

    Raises:
        BertwrightError: BW420 for a shape that does not fit `input_ids`.
    """
    position_ids = checked_padded(input_ids, attention_mask, token_type_ids, position_ids)
    batch_size, width = input_ids.shape
    if attention_mask is None:
        index = torch.arange(batch_size * width, device=input_ids.device)
        lengths = [width] * batch_size
    else:
        real = attention_mask != 0
        index = real.flatten().nonzero().squeeze(1)
        lengths = real.sum(1).tolist()
    places = Places(index, batch_size, width)
    if token_type_ids is None:
        types = torch.zeros_like(index)
    else:
        types = places.pick(token_type_ids)
    positions = places.pick(position_ids.expand(batch_size, width))
    return Ragged.of(places.pick(input_ids), types, positions, lengths), places


def checked_padded(
    input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None, position_ids: Tensor | None
) -> Tensor:
    """The positions, which are the columns where none are given, of a padded form whose shapes fit together.

    Raises:
        BertwrightError: BW420 for a shape that does not fit `input_ids`.
    """
    if input_ids.dim() != 2:
        raise BertwrightError("BW420", what="input_ids", shape=list(input_ids.shape), expected="[B, S]")
    batch_size, width = input_ids.shape
    shape = torch.Size((batch_size, width))
    given = {"attention_mask": attention_mask, "token_type_ids": token_type_ids}
    for what, tensor in given.items():
        if tensor is not None and tensor.shape != shape:
            raise BertwrightError("BW420", what=what, shape=list(tensor.shape), expected=list(shape))
    if position_ids is None:
        position_ids = torch.arange(width, device=input_ids.device)
    elif position_ids.shape not in (shape, (1, width), (width,)):
        raise BertwrightError("BW420", what="position_ids", shape=list(position_ids.shape), expected=list(shape))
    return position_ids
