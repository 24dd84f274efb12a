"""Dropout that is cheap on a CPU (Srivastava et al. 2014).

The library draws one random number an element from one stream, and passes over the tensor four times. Here 16 bits
decide for an element; they are drawn in bulk, from a generator that the library's own seeds: `torch.manual_seed`
and the saved states of checkpointing rule it as they rule everything else.

A probability is rounded to the nearest multiple of 2⁻¹⁶, and what is kept is scaled for the rounded one, so that the
mean is kept exactly. Other devices use the library's dropout, and so does what is recorded, as by `torch.compile`.

Shapes: any; T tokens, H hidden size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertwright.data.unpacked import is_recorded

_LEVELS = 1 << 16


def dropout(values: Tensor, probability: float) -> Tensor:
    """`values`, each set to zero with `probability` and else scaled so that its mean stays."""
    if values.device.type != "cpu" or is_recorded():
        return F.dropout(values, probability)
    return values * keep_mask(values, probability) if probability else values


def add_dropped(residual: Tensor, values: Tensor, probability: float) -> Tensor:
    """`residual + dropout(values)`, in one pass."""
    if values.device.type != "cpu" or is_recorded():
        return residual + F.dropout(values, probability)
    return torch.addcmul(residual, values, keep_mask(values, probability)) if probability else residual + values


class Dropout(nn.Dropout):
    """The library's module, computed by `dropout`."""

    if TYPE_CHECKING:

        def __call__(self, values: Tensor) -> Tensor: ...

    def forward(self, values: Tensor) -> Tensor:
        """`values`, dropped while training."""
        return dropout(values, rate_now(self))


def add_through(module: nn.Module, residual: Tensor, values: Tensor) -> Tensor:
    """`residual + module(values)`; in one pass where the module is `Dropout` as it was made here."""
    if type(module) is Dropout and not has_hooks(module):
        return add_dropped(residual, values, rate_now(module))
    made: Tensor = module(values)
    return residual + made


def rate_now(module: nn.Module) -> float:
    """With which probability a module of dropout drops at this moment; 0 for what is none, such as `nn.Identity`."""
    return module.p if isinstance(module, nn.Dropout) and module.training else 0.0


def has_hooks(module: nn.Module) -> bool:
    """Whether somebody listens to the calls of a module, or has changed how it answers, so that it must be called."""
    hooks = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    return bool(hooks) or "forward" in module.__dict__


def keep_mask(like: Tensor, probability: float) -> Tensor:
    """A fresh mask of the shape and type of `like`, on the CPU: 0 with `probability`, else what keeps the mean 1."""
    dropped = round(probability * _LEVELS)
    if dropped >= _LEVELS:
        return torch.zeros_like(like)
    bits = random_bits(like.numel()).view(like.shape)
    mask = torch.ge(bits, dropped - _LEVELS // 2, out=torch.empty(like.shape, dtype=like.dtype))
    return mask.mul_(_LEVELS / (_LEVELS - dropped))


def random_bits(count: int) -> Tensor:
    """`[count]` int16, every value equally likely; a function of the state of torch's generator, which moves on."""
    seed = int(torch.randint(2**63 - 1, ()))
    words = np.random.SFC64(seed).random_raw((count + 3) // 4)
    return torch.from_numpy(words.view(np.int16)[:count])
