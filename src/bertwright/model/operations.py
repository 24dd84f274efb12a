"""How many operations a model takes: what its speed is measured by.

Shapes: H hidden size, I intermediate size, V vocabulary, L layers, S length of a sequence.
"""

from __future__ import annotations

from bertwright.model.config import BertConfig


def training_operations(config: BertConfig, length: float, masked: float = 0.0) -> float:
    """Floating-point operations of forward and backward pass for one real token.

    Two a weight in the forward pass and four in the backward pass; attention over `length` tokens; the head of the
    masked language model for the share `masked` of the tokens. Pads and unmasked tokens count for nothing.

    Source: Kaplan et al. 2020, table 1; Chowdhery et al. 2022, appendix B.
    """
    hidden, layers = config.hidden_size, config.num_hidden_layers
    weights = layers * (4 * hidden**2 + 2 * hidden * config.intermediate_size)
    attention = 12 * layers * length * hidden
    head = 6 * masked * (hidden**2 + hidden * config.vocab_size)
    return 6 * weights + attention + head
