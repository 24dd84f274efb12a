"""Attention of the tokens of one text over those of another: of a decoder over what the encoder made of the source.

Method: Vaswani et al. 2017, section 3.2.3, within each pair of sequences. Neither side holds a pad outside of here.

Shapes: T tokens of the targets, U of the sources, B pairs, A heads, D head size, n pairs of a group, S longest target
of a group, K longest source of it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from bertwright.data.ragged import Ragged
from bertwright.model.attention.grouped import mix, unmix
from bertwright.model.attention.length_groups import Grouping, pair_by_length


def attend_across(query: Tensor, key_value: Tensor, target: Ragged, source: Ragged, dropout: float = 0.0) -> Tensor:
    """Attention of every target token over the tokens of its source, by the fastest path for the device.

    Args:
        query: `[T, A, D]` of the targets.
        key_value: `[U, 2, A, D]` of the sources.
        target, source: where the sequences lie; the same number on both sides, and no source is empty.
        dropout: probability with which an attention weight is dropped.

    Returns:
        `[T, A, D]`
    """
    if query.device.type == "cpu":
        return across_grouped(query, key_value, target, source, dropout)
    return across_padded(query, key_value, target, source, dropout)


def across_plain(
    query: Tensor, key_value: Tensor, target: Ragged, source: Ragged, dropout: float = 0.0
) -> tuple[Tensor, list[Tensor]]:
    """The reference: one pair at a time.

    Returns:
        `[T, A, D]` and, for each pair, its attention weights `[A, s, k]`.
    """
    outputs, weights = [], []
    parts = zip(torch.split(query, list(target.lengths)), torch.split(key_value, list(source.lengths)))
    for asked, seen in parts:
        key, value = seen.permute(1, 2, 0, 3)  # [2, A, k, D]
        scores = asked.transpose(0, 1) @ key.transpose(1, 2) / query.shape[-1] ** 0.5  # [A, s, k]
        weight = F.dropout(scores.softmax(-1), dropout)
        outputs.append((weight @ value).transpose(0, 1))
        weights.append(weight)
    return torch.cat(outputs) if outputs else query, weights


def across_padded(query: Tensor, key_value: Tensor, target: Ragged, source: Ragged, dropout: float = 0.0) -> Tensor:
    """One call over `[B, S]` and `[B, K]` with a mask, for devices where many small calls cost more than pads do."""
    (rows, columns), (of, at) = _places(target), _places(source)
    asked = query.new_zeros(target.batch_size, target.max_seqlen, *query.shape[1:]).index_put((rows, columns), query)
    seen = key_value.new_zeros(source.batch_size, source.max_seqlen, *key_value.shape[1:])
    key, value = seen.index_put((of, at), key_value).permute(2, 0, 3, 1, 4)  # [2, B, A, K, D]
    real = torch.arange(source.max_seqlen, device=query.device) < source.cu_seqlens.diff()[:, None]
    output = F.scaled_dot_product_attention(
        asked.transpose(1, 2), key, value, attn_mask=real[:, None, None], dropout_p=dropout
    )
    return output.transpose(1, 2)[rows, columns]


def _places(batch: Ragged) -> tuple[Tensor, Tensor]:
    """`[T]` the sequence of each token, and its place in it."""
    device = batch.cu_seqlens.device
    lengths = batch.cu_seqlens.diff()
    rows = torch.arange(batch.batch_size, device=device).repeat_interleave(lengths, output_size=batch.num_tokens)
    return rows, torch.arange(batch.num_tokens, device=device) - batch.cu_seqlens[:-1].long()[rows]


def across_grouped(query: Tensor, key_value: Tensor, target: Ragged, source: Ragged, dropout: float = 0.0) -> Tensor:
    """Pairs of like lengths share a product; half-precision inputs are computed in fp32."""
    if not target.num_tokens:
        return query
    whole = (torch.float32, torch.float64)
    asked, seen = (one if one.dtype in whole else one.float() for one in (query, key_value))
    pairs = pair_by_length(target.lengths, source.lengths)
    with torch.autocast("cpu", enabled=False):
        output: Tensor = _Across.apply(asked, seen, pairs, dropout)  # type: ignore[no-untyped-call]
    return output.to(query.dtype)


class _Across(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key_value: Tensor, pairs: tuple[Grouping, Grouping], dropout: float) -> Tensor:
        asked, seen = pairs
        padded = asked.pad(query[:, None])  # [P, 1, A, D]
        mixed = torch.empty_like(padded)
        saved: list[Tensor | None] = []
        sides = zip(asked.groups, asked.split(padded), seen.groups, seen.split(seen.pad(key_value)))
        for (targets, asking, sources, told), output in zip(sides, asked.split(mixed)):
            wanted, key, value = *targets.by_head(asking), *sources.by_head(told)  # [n·A, S, D], [n·A, K, D] twice
            product, weight, mask = mix(wanted, key, value, sources.bias, query.shape[1], dropout)
            targets.by_place(product, output)
            saved += [wanted, key, value, weight, mask]
        ctx.save_for_backward(*saved)
        ctx.pairs = pairs
        return asked.pick(mixed).squeeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        asked, seen = ctx.pairs
        padded = asked.pad_with_zeros(gradient[:, None])
        of_query, of_seen = torch.empty_like(padded), gradient.new_empty(len(seen.source), 2, *gradient.shape[1:])
        saved = ctx.saved_tensors
        sides = zip(asked.groups, asked.split(of_query), seen.groups, seen.split(of_seen))
        for number, ((targets, first, sources, other), part) in enumerate(zip(sides, asked.split(padded))):
            kept = saved[5 * number : 5 * number + 5]
            one, two = torch.empty_like(kept[0]), kept[1].new_empty(2, *kept[1].shape)
            unmix(targets.by_head(part)[0], kept, (one, *two))
            targets.by_place(one, first)
            sources.by_place(two, other)
        return asked.pick(of_query).squeeze(1), seen.pick(of_seen), None, None
