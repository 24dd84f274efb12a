"""Cross-entropy of scores over the whole vocabulary, whose matrix is large.

Autograd keeps the scores, their logarithmic softmax and the gradients of both: four matrices of M by V, in fp32 under
autocast, too, each larger than the processor's cache. Here the gradient is made in the place of the scores, some rows
at a time, while the loss is computed.

Shapes: M tokens to be found, H hidden size, V vocabulary, m rows of one part.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

_PART = 2**19  # scores of a part: 2 MiB in fp32, which a core's cache holds


def vocabulary_loss(
    hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor, shares: Tensor, smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of `hidden @ table.T + bias` with `labels`, and how often the best score is the label's.

    Args:
        hidden: `[M, H]`.
        table: `[V, H]`.
        bias: `[V]`.
        labels: `[M]` int64.
        shares: `[M]` fp32: what each token adds to both sums.
        smoothing: share of the target that is spread over the vocabulary (Szegedy et al. 2016, section 7).

    Returns:
        Two numbers; the second has no gradient. Softmax and sums are in fp32; under autocast the products are not.
    """
    way = _InPlace.apply if hidden.device.type == "cpu" and torch.is_grad_enabled() else plain_loss
    return way(hidden, table, bias, labels, shares, smoothing)


def plain_loss(
    hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor, shares: Tensor, smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """`vocabulary_loss` in the library's own operations."""
    scores = F.linear(hidden, table, bias).float()
    losses = F.cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
    return (losses * shares).sum(), ((scores.detach().argmax(-1) == labels) * shares).sum()


class _InPlace(torch.autograd.Function):
    """The gradients for an incoming one of 1 are ready when the forward pass is."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor, shares: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        with torch.autocast("cpu", enabled=False):
            # Not by autocast, which would hand its copy of the table, made without gradients, to others.
            inputs, words = hidden.to(dtype), table.to(dtype)
            scores = torch.addmm(bias.to(dtype), inputs, words.t())
            rows = max(_PART // len(table), 1)
            parts = (torch.split(one, rows) for one in (scores, labels[:, None], shares[:, None]))
            loss, hits, of_bias = shares.new_zeros(()), shares.new_zeros(()), torch.zeros_like(bias)
            for part, wanted, share in zip(*parts):
                lost, found, gradient = _part(part, wanted, share, smoothing)
                loss += lost
                hits += found
                of_bias += gradient.sum(0)
                if gradient is not part:
                    part.copy_(gradient)
            ctx.save_for_backward((scores @ words).to(hidden.dtype), (scores.t() @ inputs).to(table.dtype), of_bias)
        ctx.mark_non_differentiable(hits)
        return loss, hits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        # By itself a loss comes back with 1; the table's gradient is not to be gone through once more for that.
        given = ctx.saved_tensors if above == 1 else (above * one for one in ctx.saved_tensors)
        return (*given, None, None, None)


def _part(scores: Tensor, wanted: Tensor, share: Tensor, smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
    """Loss and hits of `scores [m, V]` with `wanted [m, 1]`, and the gradient, which overwrites the scores in fp32.

    All three times `share [m, 1]`.
    """
    values = scores if scores.dtype == torch.float64 else scores.float()
    top, best = values.max(-1, keepdim=True)
    agreed = (1 - smoothing) * values.sub_(top).gather(1, wanted)
    if smoothing:
        agreed += smoothing * values.mean(-1, keepdim=True)
    total = values.exp_().sum(-1, keepdim=True)
    values.mul_(share / total).scatter_add_(1, wanted, (smoothing - 1) * share.to(values.dtype))
    if smoothing:
        values -= smoothing / values.shape[1] * share
    return ((total.log() - agreed) * share).sum(), ((best == wanted) * share).sum(), values
