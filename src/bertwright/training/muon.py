"""Muon: momentum whose matrices are made orthogonal before they are added.

The library's own multiplies in bf16 on every machine, whatever the precision of the run. A processor without
instructions for bf16 does that some hundred times slower than in fp32, so that a step of a small model took seconds.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers"; Liu et al. 2025, section 2.2, on the scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For matrices only. Updates have the size of AdamW's, so that the same rates serve.

    Its state is a `momentum_buffer` of the shape of each matrix.

    Args:
        dtype: in which the matrices are multiplied.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; see `torch.optim.Optimizer.step`. No closure is taken."""
        assert closure is None
        for group in self.param_groups:
            by_shape: dict[tuple[torch.Size, torch.device], list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault((parameter.shape, parameter.device), []).append(parameter)
            for (shape, _), members in by_shape.items():
                moved = torch.stack([self._momentum(one, group["momentum"]) for one in members])
                scale = group["lr"] * 0.2 * math.sqrt(max(shape))
                for parameter, update in zip(members, orthogonal(moved.to(self._dtype)).to(moved.dtype)):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-scale)

    def _momentum(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """What Nesterov's momentum would add."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        state["momentum_buffer"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(state["momentum_buffer"], momentum)


def orthogonal(matrices: Tensor) -> Tensor:
    """`[n, rows, columns]` to about the nearest orthogonal ones: singular values between 0.7 and 1.2.

    Five steps of a Newton-Schulz iteration of the fifth order.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
