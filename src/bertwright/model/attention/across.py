"""Attention of the tokens of one text over those of another: of a decoder over what the encoder made of the source.

Method: Vaswani et al. 2017, section 3.2.3, within each pair of sequences. Neither side holds a pad outside of here.

Shapes: T tokens of the targets, U of the sources, B pairs, A heads, D head size, n pairs of a group, S longest target
of a group, K longest source of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from bertwright.data.ragged import Ragged
from bertwright.model.attention.grouped import mix, unmix
from bertwright.model.attention.length_groups import cut, pad_bias, side_by_side


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


@dataclass(frozen=True, slots=True)
class PairGroup:
    """Pairs that share a product.

    Attributes:
        asked, seen: `[n·S]` and `[n·K]` the token that each place is a copy of; pads copy the first of their sequence.
        places, tokens: the places of the real targets, and which tokens they are; both empty where nothing is a pad.
        seen_places, seen_tokens: the same for the sources.
        count: n.
        bias: `[n, 1, K]`, minus infinity at pads; None where the sources have none.
    """

    asked: Tensor
    seen: Tensor
    places: Tensor
    tokens: Tensor
    seen_places: Tensor
    seen_tokens: Tensor
    count: int
    bias: Tensor | None


@lru_cache(maxsize=16)  # every layer of a model asks for the same one
@torch.inference_mode(mode=False)
def pair_by_length(targets: tuple[int, ...], sources: tuple[int, ...]) -> tuple[PairGroup, ...]:
    """Groups in which no source is padded by more than a quarter and four tokens, and targets by little more."""
    order = sorted((i for i, length in enumerate(targets) if length), key=lambda i: (sources[i], targets[i]))
    asked_starts, seen_starts = (np.cumsum([0, *lengths[:-1]]) for lengths in (targets, sources))
    groups = []
    for members in cut(order, targets, sources):
        asked, asked_real = side_by_side([targets[index] for index in members], asked_starts[members])  # [n, S]
        seen, seen_real = side_by_side([sources[index] for index in members], seen_starts[members])  # [n, K]
        group = PairGroup(
            asked=torch.from_numpy(asked.ravel()),
            seen=torch.from_numpy(seen.ravel()),
            places=torch.from_numpy(np.flatnonzero(asked_real)),
            tokens=torch.from_numpy(asked[asked_real]),
            seen_places=torch.from_numpy(np.flatnonzero(seen_real)),
            seen_tokens=torch.from_numpy(seen[seen_real]),
            count=len(members),
            bias=pad_bias(seen_real),
        )
        groups.append(group)
    return tuple(groups)


class _Across(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key_value: Tensor, pairs: tuple[PairGroup, ...], dropout: float) -> Tensor:
        _, heads, size = query.shape
        mixed = torch.empty_like(query)
        saved: list[Tensor | None] = []
        for group in pairs:
            asked = query.index_select(0, group.asked).view(group.count, -1, heads, size)
            seen = key_value.index_select(0, group.seen).view(group.count, -1, 2, heads, size)
            asked = asked.transpose(1, 2).reshape(group.count * heads, -1, size)  # [n·A, S, D]
            key, value = seen.permute(2, 0, 3, 1, 4).reshape(2, group.count * heads, -1, size)  # [n·A, K, D]
            product, weight, mask = mix(asked, key, value, group.bias, heads, dropout)
            product = product.view(group.count, heads, -1, size).transpose(1, 2).reshape(-1, heads, size)
            mixed.index_copy_(0, group.tokens, product.index_select(0, group.places))
            saved += [asked, key, value, weight, mask]
        ctx.save_for_backward(*saved)
        ctx.pairs, ctx.shapes = pairs, (query.shape, key_value.shape)
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        query_shape, seen_shape = ctx.shapes
        _, heads, size = query_shape
        saved = ctx.saved_tensors
        of_query, of_seen = gradient.new_empty(query_shape), gradient.new_zeros(seen_shape)
        for number, group in enumerate(ctx.pairs):
            query, key, value, weight, mask = saved[5 * number : 5 * number + 5]
            above = gradient.new_zeros(len(group.asked), heads, size)
            above.index_copy_(0, group.places, gradient.index_select(0, group.tokens))
            above = above.view(group.count, -1, heads, size).transpose(1, 2).reshape(group.count * heads, -1, size)
            first, two = torch.empty_like(query), key.new_empty(2, *key.shape)
            unmix(above, (query, key, value, weight, mask), (first, two[0], two[1]))
            first = first.view(group.count, heads, -1, size).transpose(1, 2).reshape(-1, heads, size)
            of_query.index_copy_(0, group.tokens, first.index_select(0, group.places))
            other = two.view(2, group.count, heads, -1, size).permute(1, 3, 0, 2, 4).reshape(-1, 2, heads, size)
            of_seen.index_copy_(0, group.seen_tokens, other.index_select(0, group.seen_places))
        return of_query, of_seen, None, None
