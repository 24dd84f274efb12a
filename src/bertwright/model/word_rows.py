"""More or fewer rows for the word table of a model in memory, and for everything that has a row for every word.

A checkpoint on the disk gets new words by `checkpoint/enlarging.py`, which knows what they are made of.

Shapes: V vocabulary, H hidden size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertwright.model.fresh_values import mark_started
from bertwright.model.heads import MaskedLanguageModelHead
from bertwright.model.typed_modules import Embedding, Linear


@torch.no_grad()
def resized_table(table: nn.Embedding, rows: int, deviation: float | None) -> Embedding:
    """A table `[rows, H]` with the rows of `table`; new ones are from N(0, deviation²), or the mean of all."""
    pad = table.padding_idx if table.padding_idx is not None and table.padding_idx < rows else None
    with torch.device("meta"):
        made = Embedding(rows, table.embedding_dim, padding_idx=pad)
    made.weight = _resized(table.weight, rows, deviation)
    mark_started(made)
    return made.train(table.training)


@torch.no_grad()
def resize_head(head: MaskedLanguageModelHead, rows: int, deviation: float | None) -> None:
    """Let a head score `rows` words, in place; a matrix that is the word table is not its own."""
    if len(head.bias) == rows:
        return
    head.bias = _resized(head.bias, rows, None if deviation is None else 0.0)
    if head.decoder is not None:
        head.decoder.weight = _resized(head.decoder.weight, rows, deviation)
        head.decoder.out_features = rows


def output_of(head: MaskedLanguageModelHead, words: nn.Parameter) -> Linear:
    """What scores the words as a module: its weight `[V, H]` and its bias `[V]` are the head's own parameters."""
    weight = words if head.decoder is None else head.decoder.weight
    with torch.device("meta"):
        made = Linear(weight.shape[1], weight.shape[0])
    made.weight, made.bias = weight, head.bias
    return made


def _resized(values: Tensor, rows: int, deviation: float | None) -> nn.Parameter:
    kept = values[:rows]
    more = values.new_empty(rows - len(kept), *values.shape[1:])
    if deviation is None:  # in fp32: the mean of halves would be rounded at every step
        more[:] = values.float().mean(0).to(values.dtype)
    else:
        more.normal_(0.0, deviation)
    made: Tensor = torch.cat([kept, more])
    return nn.Parameter(made, requires_grad=values.requires_grad)
