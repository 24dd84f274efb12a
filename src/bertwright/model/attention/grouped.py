"""Attention for training on a CPU: sequences of like length share a product, and dropout is cheap.

The library's kernel has no dropout on a CPU and falls back to one that is several times slower; and it is made for
long sequences, where its blocks pay. Here the products of a whole group are one batched call each, the gradients are
written out, and half-precision inputs are computed in fp32.

Shapes: T tokens, B sequences, A heads, D head size, n sequences of a group, S longest of them, P places.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bertwright.data.ragged import Ragged
from bertwright.model.attention.length_groups import Grouping, group_by_length
from bertwright.model.dropout import dropout as drop
from bertwright.model.dropout import keep_mask


def attend_grouped(qkv: Tensor, batch: Ragged, dropout: float = 0.0, causal: bool = False) -> Tensor:
    """`qkv [T, 3, A, D]` to `[T, A, D]`; see `attention.attend`."""
    if not batch.num_tokens:
        return qkv[:, 0]
    computed = qkv if qkv.dtype in (torch.float32, torch.float64) else qkv.float()
    with torch.autocast("cpu", enabled=False):
        output: Tensor = _Attention.apply(computed, group_by_length(batch.lengths), dropout, causal)  # type: ignore[no-untyped-call]
    return output.to(qkv.dtype)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, qkv: Tensor, grouping: Grouping, dropout: float, causal: bool) -> Tensor:
        _, _, heads, size = qkv.shape
        padded = grouping.pad(qkv)  # [P, 3, A, D]
        mixed = qkv.new_empty(len(padded), 1, heads, size)
        saved: list[Tensor | None] = []
        parts = zip(grouping.groups, grouping.split(padded), grouping.split(mixed))
        for group, part, output in parts:
            query, key, value = group.by_head(part)  # [n·A, S, D] each
            # A single token has no future, and a group as wide as that no pads.
            bias = future_bias(group.width) if causal and group.width > 1 else group.bias
            product, weight, mask = mix(query, key, value, bias, heads, dropout)  # [n·A, S, D]
            group.by_place(product, output)
            saved += [query, key, value, weight, mask]
        ctx.save_for_backward(*saved)
        ctx.grouping = grouping
        return grouping.pick(mixed).squeeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        grouping: Grouping = ctx.grouping
        padded = grouping.pad_with_zeros(gradient[:, None])
        result = gradient.new_empty(len(padded), 3, *gradient.shape[1:])
        saved = ctx.saved_tensors
        parts = zip(grouping.groups, grouping.split(padded), grouping.split(result))
        for number, (group, part, output) in enumerate(parts):
            above = group.by_head(part)[0]  # [n·A, S, D]
            three = above.new_empty(3, *above.shape)
            unmix(above, saved[5 * number : 5 * number + 5], three.unbind())
            group.by_place(three, output)
        return grouping.pick(result), None, None, None


def mix(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, heads: int, dropout: float
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Attention of a group: what comes out, the weights, and the mask of their dropout.

    Args:
        query: `[n·A, S, D]`; key, value: `[n·A, K, D]`.
        bias: `[n, 1, K]`, or `[1, S, K]` for all sequences alike: minus infinity where nothing is to be seen.
        heads: A.
        dropout: probability with which a weight is dropped.
    """
    if bias is None:
        start, beta = query.new_empty(1, 1, 1), 0
    else:
        start, beta = bias.to(query.dtype), 1
        if len(start) > 1 or start.shape[1] == 1:
            start = start[:, None].expand(-1, heads, -1, -1).reshape(-1, *start.shape[1:])  # [n·A, 1 or S, K]
    scores = torch.baddbmm(start, query, key.transpose(1, 2), beta=beta, alpha=query.shape[-1] ** -0.5)  # [n·A, S, K]
    weight = scores.softmax(-1)
    mask = keep_mask(weight, dropout) if dropout else None
    return torch.bmm(weight if mask is None else weight * mask, value), weight, mask


def unmix(above: Tensor, saved: Sequence[Tensor], out: Sequence[Tensor]) -> None:
    """The gradients of `mix` for query, key and value, written to `out`.

    Args:
        above: `[n·A, S, D]` the gradient of what came out.
        saved: query, key, value, weights and mask, which may be None.
    """
    query, key, value, weight, mask = saved
    scale = query.shape[-1] ** -0.5
    with torch.autocast("cpu", enabled=False):  # some call `backward` under it
        kept = weight if mask is None else weight * mask
        of_weight = torch.bmm(above, value.transpose(1, 2))
        if mask is not None:
            of_weight.mul_(mask)
        of_score = torch._softmax_backward_data(of_weight, weight, -1, weight.dtype)
        torch.baddbmm(out[0], of_score, key, beta=0, alpha=scale, out=out[0])
        torch.baddbmm(out[1], of_score.transpose(1, 2), query, beta=0, alpha=scale, out=out[1])
        torch.bmm(kept.transpose(1, 2), above, out=out[2])


@lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def future_bias(width: int) -> Tensor:
    """`[1, S, S]`: minus infinity where a token would see one that follows it; it then sees no pad, either."""
    return torch.full((width, width), -torch.inf).triu(1)[None]


def attend_first(query: Tensor, key_value: Tensor, batch: Ragged, dropout: float = 0.0) -> Tensor:
    """Attention of the first token of each sequence, over all of its tokens.

    Args:
        query: `[B, A, D]` of the first tokens.
        key_value: `[T, 2, A, D]` of all tokens.
        batch: where the sequences lie; none of them is empty.
        dropout: probability with which an attention weight is dropped.

    Returns:
        `[B, A, D]`
    """
    grouping = group_by_length(batch.lengths)
    device, order = query.device, grouping.order.to(query.device)
    padded = key_value.flatten(1)
    if not grouping.in_place:
        padded = padded.index_select(0, grouping.source.to(device))
    asked = torch.split(query.index_select(0, order), [group.count for group in grouping.groups])
    outputs = []
    for group, part, asking in zip(grouping.groups, grouping.split(padded), asked):
        key, value = part.view(group.count, group.width, 2, *query.shape[1:]).permute(2, 0, 3, 1, 4)  # [n, A, S, D]
        scores = (asking[:, :, None] @ key.transpose(2, 3)) * query.shape[-1] ** -0.5  # [n, A, 1, S]
        if group.bias is not None:
            scores = scores + group.bias.to(device, scores.dtype)[:, None]
        weight = drop(scores.softmax(-1), dropout)
        outputs.append((weight.to(value.dtype) @ value)[:, :, 0])
    return torch.cat(outputs).index_select(0, order.argsort())
