"""More layers for a trained encoder, so that a deeper model need not begin from nothing.

New layers that change nothing at first: Chen et al. 2016 (Net2Net); by zeros in their outputs: Wu et al. 2024 (LLaMA
Pro, section 3.2), here for norms that stand behind the residuals.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn

from bertwright.model.encoder import Layer
from bertwright.model.models import BertWithHead


def deepen(net: BertWithHead, num_hidden_layers: int) -> None:
    """Put layers on top of the encoder, in place, until it has `num_hidden_layers`; the model computes what it did.

    Each is a copy of the layer below whose outputs, of attention and of feed-forward, are zero: both residuals hand on
    what comes in.

    Raises:
        ValueError: the encoder has no layer, or more than that.
    """
    layers = net.bert.encoder.layer
    if not 0 < len(layers) <= num_hidden_layers:
        raise ValueError(f"{len(layers)} layers cannot grow to {num_hidden_layers}")
    while len(layers) < num_hidden_layers:
        below = layers[-1]
        assert isinstance(below, Layer)
        layers.append(_handing_on(below))
    config = replace(net.config, num_hidden_layers=num_hidden_layers)
    net.config = net.bert.config = config


@torch.no_grad()
def _handing_on(below: Layer) -> Layer:
    """A copy that adds nothing to what it reads.

    Gain and bias of the topmost norm move up with it: applied once more in each layer they would add up. Its matrices
    read what was not yet scaled by them, so they take them in.
    """
    layer = deepcopy(below)
    for residual in (layer.attention.output, layer.output):
        nn.init.zeros_(residual.dense.weight)
        nn.init.zeros_(residual.dense.bias)
    gain, bias = below.output.LayerNorm.weight, below.output.LayerNorm.bias
    for reader in (layer.attention.self.qkv, layer.intermediate.dense):
        reader.bias.add_(reader.weight @ bias)
        reader.weight.mul_(gain)
    for norm in (below.output.LayerNorm, layer.attention.output.LayerNorm):
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
    return layer
