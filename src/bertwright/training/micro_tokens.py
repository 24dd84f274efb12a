"""How many tokens are computed at once: the step stays the same, its parts are chosen to fit memory."""

from __future__ import annotations

import torch

from bertwright.machine.memory import free_memory
from bertwright.model.config import BertConfig

_MOST = 16384
_LEAST = 512
_SHARE = 0.5  # of what is free now: the rest is left to gradients, the optimizer and everybody else


def choose_micro_tokens(config: BertConfig, device: torch.device, *, max_length: int, checkpointing: bool) -> int:
    """Tokens that a forward and a backward pass can hold in memory at once, between 512 and 16,384."""
    free = free_memory(device)
    if free is None:
        return 4096
    return int(min(max(_SHARE * free / config.kept_per_token(max_length, checkpointing), _LEAST, max_length), _MOST))
