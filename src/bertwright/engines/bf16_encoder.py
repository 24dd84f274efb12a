"""An encoder computed in bf16: half of the bytes, and several times the rate where a processor has instructions for it.

Weights and hidden states are bf16, sums inside a product, a norm and a softmax are fp32. Heads stay outside, in fp32.

Shapes: T tokens, B sequences, H hidden size.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertwright.data.ragged import Ragged
from bertwright.model.encoder import Encoding
from bertwright.model.models import BertWithHead

M = TypeVar("M", bound=nn.Module)
# A matrix library builds a kernel for every number of rows it has not met, which takes longer than the product, and its
# tiles are 16 rows high: numbers that recur are several times as fast.
_MULTIPLE, _MULTIPLE_OF_FEW, _FEW = 64, 16, 128


class Bf16Encoder(nn.Module):
    """Takes and gives fp32, in place of the encoder of a model.

    On a processor at most 63 rows of zeros stand behind a batch, as one sequence more whose outputs nobody sees.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.inside = sharing(encoder, {id(one): _in_bf16(one) for one in encoder.parameters()})

    def forward(self, hidden: Tensor, batch: Ragged, **wanted: bool) -> Encoding:
        """Embeddings `[T, H]` to hidden states, as of `Encoder.forward`."""
        tokens, sequences = batch.num_tokens, batch.batch_size
        empty = rows_to_add(tokens) if hidden.device.type == "cpu" else 0
        hidden = hidden.to(torch.bfloat16)
        if empty:
            hidden, batch = F.pad(hidden, (0, 0, 0, empty)), _longer(batch, empty)
        made: Encoding = self.inside(hidden, batch, **wanted)
        return replace(
            made,
            last=made.last[: sequences if made.first_only else tokens].float(),
            hidden_states=tuple(one[:tokens].float() for one in made.hidden_states),
            attentions=tuple([one.float() for one in layer[:sequences]] for layer in made.attentions),
        )


def in_bf16(model: BertWithHead) -> BertWithHead:
    """A copy of a model in fp32 whose encoder computes in bf16, with the weights of now; all others are shared."""
    encoder = model.base_model.encoder
    shared: dict[int, object] = {id(one): one for one in (*model.parameters(), *model.buffers())}
    return sharing(model, shared | {id(encoder): Bf16Encoder(encoder)})


def sharing(module: M, replaced: dict[int, object]) -> M:
    """A copy of a module, adapters and hooks included, in which objects are replaced by their `id`."""
    return copy.deepcopy(module, dict(replaced))


def rows_to_add(tokens: int) -> int:
    """Behind so many rows, for a number of rows that recurs: at most 63, below 128 tokens at most 15."""
    return -tokens % (_MULTIPLE if tokens > _FEW else _MULTIPLE_OF_FEW)


def _in_bf16(parameter: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(parameter.detach().to(torch.bfloat16), requires_grad=False)


def _longer(batch: Ragged, rows: int) -> Ragged:
    """With one sequence more, of so many tokens."""
    tokens = (batch.input_ids, batch.token_type_ids, batch.position_ids)
    ids, types, positions = (F.pad(one, (0, rows)) for one in tokens)
    return Ragged.of(ids, types, positions, (*batch.lengths, rows))
