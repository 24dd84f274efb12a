"""AdamW, its groups of parameters, and the course of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from bertwright.training.settings import FinetuneSettings


def make_optimizer(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW with bias correction; biases and norms (all one-dimensional) do not decay.

    Source: Loshchilov and Hutter 2019; Mosbach et al. 2021 on why the bias correction matters.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True)


def make_schedule(optimizer: torch.optim.Optimizer, settings: FinetuneSettings, steps: int) -> LambdaLR:
    """The rate rises over `warmup * steps` steps, then falls to zero in a line or a half cosine, or stays."""
    return LambdaLR(optimizer, rate_factor(settings.schedule, math.ceil(settings.warmup * steps), steps))


def rate_factor(schedule: str, warmup_steps: int, steps: int) -> Callable[[int], float]:
    """The factor of the peak rate at each step, counted from 0."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return step / warmup_steps
        done = min((step - warmup_steps) / max(steps - warmup_steps, 1), 1.0)
        if schedule == "constant":
            return 1.0
        return 1.0 - done if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))

    return factor
