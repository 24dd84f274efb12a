"""How many tokens are computed at once: the step stays the same, its parts are chosen to fit memory.

Shapes: H hidden size, I intermediate size, A heads, L layers, S longest sequence.
"""

from __future__ import annotations

import torch

from bertwright.machine.memory import free_memory
from bertwright.model.config import BertConfig
from bertwright.model.seq2seq.seq2seq_config import Seq2SeqConfig

_MOST = 16384
_LEAST = 512
_SHARE = 0.5  # of what is free now: the rest is left to gradients, the optimizer and everybody else


def choose_micro_tokens(config: BertConfig, device: torch.device, *, max_length: int, checkpointing: bool) -> int:
    """Tokens that a forward and a backward pass can hold in memory at once, between 512 and 16,384.

    An estimate from the shape: what a layer keeps for its backward pass, in fp32.
    """
    free = free_memory(device)
    hidden, inner = config.hidden_size, config.intermediate_size
    # Kept a token and a layer: input, qkv, mix, two residual sums, two norms and their masks, both sides of the
    # activation; and for each head a row of attention weights with its mask.
    layer = 4 * (12 * hidden + 3 * inner) + 6 * config.num_attention_heads * max_length
    token = layer * (2 if checkpointing else config.num_hidden_layers) + 4 * hidden * config.num_hidden_layers
    if isinstance(config, Seq2SeqConfig):
        # A decoder's layer keeps half as much again, and the scores of every token are kept twice.
        written = config.written
        token += layer * (0 if checkpointing else 3 * written.num_hidden_layers // 2) + 12 * written.vocab_size
    if free is None:
        return 4096
    return int(min(max(_SHARE * free / token, _LEAST, max_length), _MOST))
