"""`attend`: the one place that knows where sequences end.

Method: scaled dot-product attention, Vaswani et al. 2017, section 3.2.1, within each sequence.

| path | used | how |
|---|---|---|
| `attend_plain` | where weights are asked for; the oracle | one sequence at a time, in the words of the paper |
| `attend_by_runs` | CPU | neighbours of equal length share one call of the fused kernel; no mask, no pad |
| `attend_grouped` | CPU training with dropout, or of short texts | sequences of like length share a batched product |
| `attend_varlen` | CUDA, half precision, no attention dropout | the variable-length kernel |
| `attend_padded` | other devices, and CUDA otherwise | one masked call; linear layers still see real tokens only |
| `attend_first` | last layer, where only [CLS] is read | one query a sequence (`grouped.py`) |
| `attend_unpacked` | what is recorded, as by `torch.compile` | one masked call; pads are computed (`recorded.py`) |
| `across_grouped` | decoder over its source, CPU | pairs of like lengths share a batched product (`across.py`) |
| `across_padded` | decoder over its source, elsewhere | one masked call; `across_plain` is the oracle of both |

In groups a sequence is padded by a quarter and four tokens at most. Batches come sorted by length.

Shapes: T tokens, B sequences, S longest sequence, s one of them, A heads, D head size, n sequences that share a call.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.data.ragged import Ragged
from bertwright.data.unpacked import Unpacked
from bertwright.model.attention.grouped import attend_grouped
from bertwright.model.attention.recorded import attend_unpacked, attend_unpacked_plain

log = logging.getLogger("bertwright")

AttentionPath = Callable[[Tensor, Ragged, float, bool], Tensor]
# Tokens up to which training is faster in groups than in the kernel for long sequences, which is slow in bf16.
_SHORT, _SHORT_IN_BF16 = 64, 256


def attend(qkv: Tensor, batch: Ragged, dropout: float = 0.0, causal: bool = False) -> Tensor:
    """Attention of every token over the tokens of its own sequence, by the fastest path for the device.

    Args:
        qkv: `[T, 3, A, D]` queries, keys and values.
        batch: where the sequences lie.
        dropout: probability with which an attention weight is dropped.
        causal: whether a token sees none of those that follow it, as in a decoder.

    Returns:
        `[T, A, D]`
    """
    if isinstance(batch, Unpacked):
        return attend_unpacked(qkv, batch, dropout)
    path = choose_path(qkv, dropout, batch.max_seqlen, causal)
    _say_once(path)
    return path(qkv, batch, dropout, causal)


@cache
def _say_once(path: AttentionPath) -> None:
    log.debug("attention: %s", path.__name__)


def choose_path(qkv: Tensor, dropout: float, longest: int, causal: bool = False) -> AttentionPath:
    """The path that `attend` takes for such tensors and sequences of up to `longest` tokens."""
    if qkv.device.type == "cpu":
        short = longest <= (_SHORT_IN_BF16 if qkv.dtype == torch.bfloat16 else _SHORT)
        return attend_grouped if dropout or (qkv.requires_grad and short) else attend_by_runs
    plain = qkv.device.type == "cuda" and dropout == 0.0 and not causal
    return attend_varlen if plain and _fits_kernel(qkv) else attend_padded


def _fits_kernel(qkv: Tensor) -> bool:
    """Whether the variable-length kernel takes numbers of this type and heads of this size."""
    head_size = qkv.shape[-1]
    return qkv.dtype in (torch.bfloat16, torch.float16) and head_size % 8 == 0 and head_size <= 256


def attend_plain(qkv: Tensor, batch: Ragged, dropout: float = 0.0, causal: bool = False) -> tuple[Tensor, list[Tensor]]:
    """The reference: one sequence at a time, in the words of the paper.

    Returns:
        `[T, A, D]` and, for each sequence, its attention weights `[A, s, s]`.
    """
    if isinstance(batch, Unpacked):
        return attend_unpacked_plain(qkv, batch, dropout)
    outputs, weights = [], []
    for part in torch.split(qkv, list(batch.lengths)):
        query, key, value = part.permute(1, 2, 0, 3)  # [3, A, s, D]
        scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5  # [A, s, s]
        if causal:
            scores = scores.masked_fill(behind(len(part), scores.device), -torch.inf)
        weight = F.dropout(scores.softmax(-1), dropout)
        outputs.append((weight @ value).transpose(0, 1))  # [s, A, D]
        weights.append(weight)
    return torch.cat(outputs) if outputs else qkv[:, 0], weights


def behind(length: int, device: torch.device) -> Tensor:
    """`[length, length]` bool: whether the token of a column comes after that of the row."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)


def attend_by_runs(qkv: Tensor, batch: Ragged, dropout: float = 0.0, causal: bool = False) -> Tensor:
    """Neighbours of equal length share one call: no pad, no mask. Meant for batches sorted by length."""
    runs = [(length, len(list(run))) for length, run in itertools.groupby(batch.lengths)]
    outputs = []
    # `split` and `cat` have each other as gradients; slices would each allocate a gradient of full size.
    for part, (length, count) in zip(torch.split(qkv, [length * count for length, count in runs]), runs):
        query, key, value = part.view(count, length, *part.shape[1:]).permute(2, 0, 3, 1, 4)  # [3, n, A, s, D]
        output = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=causal)
        outputs.append(output.transpose(1, 2).flatten(0, 1))  # [n·s, A, D]
    return torch.cat(outputs) if outputs else qkv[:, 0]


def attend_padded(qkv: Tensor, batch: Ragged, dropout: float = 0.0, causal: bool = False) -> Tensor:
    """One call over `[B, S]` with a mask, for devices where many small calls cost more than pads do."""
    lengths = batch.cu_seqlens.diff()
    real = torch.arange(batch.max_seqlen, device=qkv.device) < lengths[:, None]  # [B, S]
    rows = torch.arange(batch.batch_size, device=qkv.device).repeat_interleave(lengths, output_size=batch.num_tokens)
    columns = torch.arange(batch.num_tokens, device=qkv.device) - batch.cu_seqlens[:-1].long()[rows]
    padded = qkv.new_zeros(batch.batch_size, batch.max_seqlen, *qkv.shape[1:])  # [B, S, 3, A, D]
    padded = padded.index_put((rows, columns), qkv)
    query, key, value = padded.permute(2, 0, 3, 1, 4)  # [3, B, A, S, D]
    # A pad as query sees the whole row: its output is never read, and no row of the softmax is empty.
    mask = (real[:, None, :] | ~real[:, :, None])[:, None]  # [B, 1, S, S]
    if causal:  # a pad stands behind its sequence, and sees at least itself
        mask = ~behind(batch.max_seqlen, qkv.device)[None, None]
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)  # [B, A, S, D]
    return output.transpose(1, 2)[rows, columns]


def attend_varlen(qkv: Tensor, batch: Ragged, dropout: float = 0.0, causal: bool = False) -> Tensor:
    """The variable-length kernel of the GPU: half precision, no dropout, no pad; whole sequences only."""
    from torch.nn.attention.varlen import varlen_attn

    if dropout or causal:
        raise ValueError("the variable-length kernel has no dropout, and is not asked for a decoder")
    query, key, value = qkv.unbind(1)  # [T, A, D] each
    bounds, longest = batch.cu_seqlens, batch.max_seqlen
    output = varlen_attn(query, key, value, bounds, bounds, longest, longest)
    assert isinstance(output, Tensor)
    return output
