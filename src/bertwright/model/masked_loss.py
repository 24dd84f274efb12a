"""The loss of the masked language model: a matrix product over the whole vocabulary, whose result is large.

Autograd would keep the scores, their logarithmic softmax and the gradients of both: four matrices of M by V. Here the
gradient is made in the place of the scores while the loss is computed, so there is one.

Shapes: M masked tokens, H hidden size, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def masked_token_loss(hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of `hidden @ table.T + bias` with `labels`, summed, and how often the best score is the label's.

    Args:
        hidden: `[M, H]`.
        table: `[V, H]`.
        bias: `[V]`.
        labels: `[M]` int64.

    Returns:
        Two numbers; the second has no gradient. Softmax and sums are in fp32; under autocast the products are not.
    """
    if hidden.device.type == "cpu" and torch.is_grad_enabled():
        return _InPlace.apply(hidden, table, bias, labels)  # type: ignore[no-untyped-call,no-any-return]
    return plain_loss(hidden, table, bias, labels)


def plain_loss(hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """`masked_token_loss` in the library's own operations."""
    scores = F.linear(hidden, table, bias).float()
    found = (scores.detach().argmax(-1) == labels).sum()
    return F.cross_entropy(scores, labels, reduction="sum"), found


class _InPlace(torch.autograd.Function):
    """The gradients for an incoming one of 1 are ready when the forward pass is."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        with torch.autocast("cpu", enabled=False):
            # Not by autocast, which would hand its copy of the table, made without gradients, to others.
            inputs, words = hidden.to(dtype), table.to(dtype)
            scores = torch.addmm(bias.to(dtype), inputs, words.t()).float()
            found = (scores.argmax(-1) == labels).sum()
            torch.log_softmax(scores, -1, out=scores)
            loss = -scores.gather(1, labels[:, None]).sum()
            scores.exp_()
            scores[torch.arange(len(labels)), labels] -= 1
            gradient = scores.to(dtype)
            ctx.save_for_backward(
                (gradient @ words).to(hidden.dtype),
                (gradient.t() @ inputs).to(table.dtype),
                scores.sum(0).to(bias.dtype),
            )
        ctx.mark_non_differentiable(found)
        return loss, found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        return (*(above * one for one in ctx.saved_tensors), None)
