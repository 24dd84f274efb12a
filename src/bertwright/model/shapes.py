"""The shapes that models from scratch have, by name."""

from __future__ import annotations

from typing import Any, Literal

# Turc et al. 2019, table 1, and Devlin et al. 2019: layers, hidden size, heads.
SHAPES = {
    "tiny": (2, 128, 2),
    "mini": (4, 256, 4),
    "small": (4, 512, 8),
    "medium": (8, 512, 8),
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
}
Shape = Literal["tiny", "mini", "small", "medium", "base", "large"]


def shape_values(shape: str) -> dict[str, Any]:
    """A shape in the words of `config.json`; the feed-forward layer is four times as wide as the model."""
    layers, hidden, heads = SHAPES[shape]
    return {
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
    }
