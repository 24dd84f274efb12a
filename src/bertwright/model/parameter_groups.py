"""The parameters of a model by what they are to its training."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that learn at one rate.

    Attributes:
        name: `embeddings` or `layer` of the encoder; `transitions`, which from zero have a long way to go; what stands
            on the encoder has the name by which people call it, `head` or `decoder`.
        depth: of the encoder: 1 in its highest layer, L in its lowest, L + 1 in its embeddings; above it 0.
        parameters: in the order of `named_parameters`; each one of a model is in one of its groups.
    """

    name: str
    depth: int
    parameters: tuple[nn.Parameter, ...]
