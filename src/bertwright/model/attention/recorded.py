"""Attention where every place is a token and a mask says which are real: for what is recorded (`data/unpacked.py`).

Shapes: B sequences, S longest sequence, T = B · S places, A heads, D head size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.data.unpacked import Unpacked


def attend_unpacked(qkv: Tensor, batch: Unpacked, dropout: float) -> Tensor:
    """`[T, 3, A, D]` to `[T, A, D]`; what stands at pads is of no use."""
    query, key, value, mask = _apart(qkv, batch)
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)  # [B, A, S, D]
    return output.transpose(1, 2).flatten(0, 1)


def attend_unpacked_plain(qkv: Tensor, batch: Unpacked, dropout: float) -> tuple[Tensor, list[Tensor]]:
    """The same in the words of the paper, with the attention weights `[A, S, S]` of each sequence, zero at pads."""
    query, key, value, mask = _apart(qkv, batch)
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    weights = F.dropout(scores.masked_fill(~mask, -torch.inf).softmax(-1), dropout)
    shown = weights.masked_fill(~batch.mask[:, None, :, None], 0)
    return (weights @ value).transpose(1, 2).flatten(0, 1), list(shown)


def _apart(qkv: Tensor, batch: Unpacked) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys and values `[B, A, S, D]`, and `[B, 1, S, S]`, whether a key is seen.

    A pad as query sees the whole row: its output is never read, and no row of the softmax is empty.
    """
    real = batch.mask
    query, key, value = qkv.view(*real.shape, *qkv.shape[1:]).permute(2, 0, 3, 1, 4)
    return query, key, value, (real[:, None, :] | ~real[:, :, None])[:, None]
