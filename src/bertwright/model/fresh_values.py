"""The values that parameters start with.

Linear and embedding weights are drawn from N(0, initializer_range²), their biases and the pad's row are zero; a norm
starts as the identity (Devlin et al. 2019, released code).
"""

from __future__ import annotations

import torch
from torch import nn

# Who was started keeps it in mind, so that what is built around it does not do it once more.
_STARTED = "_has_fresh_values"
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d)
_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@torch.no_grad()
def start(module: nn.Module, name: str, parameter: nn.Parameter, deviation: float) -> None:
    """Give a parameter of a module of this package, which is called `name` in it, its fresh value."""
    vars(module)[_STARTED] = True
    if isinstance(module, _NORMS):
        parameter.fill_(1.0 if name == "weight" else 0.0)
    elif name != "weight":
        parameter.zero_()
    else:
        parameter.normal_(0.0, deviation)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            parameter[module.padding_idx].zero_()


@torch.no_grad()
def start_module(module: nn.Module, deviation: float) -> None:
    """Give the parameters of one module, not those of modules in it, the values that the peers give them.

    A kind of module that is not known keeps what its own constructor gave it.
    """
    if isinstance(module, (nn.Linear, nn.Embedding, *_CONVOLUTIONS, *_NORMS)):
        for name, parameter in module.named_parameters(recurse=False):
            start(module, name, parameter, deviation)
        if isinstance(module, nn.modules.batchnorm._NormBase):
            module.reset_running_stats()
    elif isinstance(module, nn.LSTM):
        for name, parameter in module.named_parameters(recurse=False):
            if "weight" in name:
                nn.init.xavier_uniform_(parameter)
            else:
                parameter.zero_()
    elif isinstance(module, nn.MultiheadAttention):
        module._reset_parameters()


def is_started(module: nn.Module) -> bool:
    """Whether its parameters have had their fresh values."""
    return _STARTED in vars(module)


def mark_started(module: nn.Module) -> None:
    """Its parameters have their fresh values."""
    vars(module)[_STARTED] = True
