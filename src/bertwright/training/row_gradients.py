"""Gradients of the word table that hold the rows of a step's words, and nothing else.

A step reads some hundred of the 30,522 rows of a word table. A dense gradient of it would be filled with zeros, added
up, measured and scaled in every step.

Shapes: V vocabulary, H hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from bertwright.model.models import BertWithHead


def use_row_gradients(model: BertWithHead) -> None:
    """Let the word table `[V, H]` have sparse gradients, on a CPU and where it is no output matrix as well.

    They are for `RowGradientAdamW` and `clip_gradients`: the library's own do not take them.
    """
    words = model.bert.encoder.embeddings.word
    words.sparse = words.weight.device.type == "cpu" and not hasattr(model, "mlm")


class RowGradientAdamW(torch.optim.AdamW):
    """AdamW that takes sparse gradients, and gives bit for bit what dense ones give.

    The rows are laid into a tensor of zeros that stays from step to step, and taken out again. The moments are
    updated for all rows, as Loshchilov and Hutter have it. The state is that of
    `torch.optim.AdamW`.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._zeros: dict[nn.Parameter, Tensor] = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; see `torch.optim.Optimizer.step`."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        sparse: list[tuple[nn.Parameter, Tensor]] = []
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.grad.is_sparse:
                    rows = parameter.grad.coalesce()
                    zeros = self._zeros_like(parameter)
                    parameter.grad = zeros.index_copy_(0, rows.indices()[0], rows.values())
                    sparse.append((parameter, rows))
        super().step()
        for parameter, rows in sparse:
            self._zeros[parameter].index_fill_(0, rows.indices()[0], 0.0)
            parameter.grad = rows
        return loss

    def _zeros_like(self, parameter: nn.Parameter) -> Tensor:
        if parameter not in self._zeros:
            self._zeros[parameter] = torch.zeros_like(parameter)
        return self._zeros[parameter]


@torch.no_grad()
def clip_gradients(parameters: Iterable[nn.Parameter], max_norm: float) -> Tensor:
    """Scale all gradients, sparse ones too, so that their common norm is at most `max_norm`.

    Returns:
        The norm before (Pascanu et al. 2013, section 3.2). Where it is small enough, no gradient is touched.
    """
    held = [parameter for parameter in parameters if parameter.grad is not None]
    for parameter in held:
        assert parameter.grad is not None
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
    gradients = [_stored(parameter.grad) for parameter in held if parameter.grad is not None]
    if not gradients:
        return torch.zeros(())
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    if not norm <= max_norm:  # also where it is not finite
        torch._foreach_mul_(gradients, max_norm / (norm + 1e-6))
    return norm


def _stored(gradient: Tensor) -> Tensor:
    """The numbers of a gradient: all of a dense one, the rows of a coalesced sparse one."""
    return gradient.values() if gradient.is_sparse else gradient
