"""The BERT encoder over ragged batches (Devlin et al. 2019, section 3; Vaswani et al. 2017, section 3.1).

Shapes: T tokens, B sequences, H hidden size, A heads, D head size, I intermediate size, V vocabulary, L layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bertwright.data.ragged import Ragged
from bertwright.errors import BertwrightError
from bertwright.model.activations import ACTIVATIONS
from bertwright.model.attention import attend, attend_plain
from bertwright.model.config import BertConfig


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the encoder makes of a batch.

    Attributes:
        last: `[T, H]` output of the last layer.
        hidden_states: `L + 1` tensors `[T, H]`, the embeddings first; empty unless asked for.
        attentions: L lists of B tensors `[A, s, s]`; empty unless asked for.
    """

    last: Tensor
    hidden_states: tuple[Tensor, ...] = ()
    attentions: tuple[list[Tensor], ...] = ()


class Embeddings(nn.Module):
    """Word + position + token type, normed."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = config.hidden_dropout_prob

    def forward(self, batch: Ragged) -> Tensor:
        """`[T, H]`"""
        summed = self.word(batch.input_ids) + self.token_type(batch.token_type_ids) + self.position(batch.position_ids)
        return F.dropout(self.norm(summed), self.dropout, self.training)


class Attention(nn.Module):
    """Self-attention with queries, keys and values from one matrix product."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)
        self.num_heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob

    def forward(self, hidden: Tensor, batch: Ragged, weights: list[list[Tensor]] | None) -> Tensor:
        """`[T, H]` to `[T, H]`; where `weights` is a list, the attention weights are appended to it."""
        qkv = self.qkv(hidden).unflatten(-1, (3, self.num_heads, -1))  # [T, 3, A, D]
        dropout = self.dropout if self.training else 0.0
        if weights is None:
            mixed = attend(qkv, batch, dropout)
        else:
            mixed, weight = attend_plain(qkv, batch, dropout)
            weights.append(weight)
        return self.output(mixed.flatten(1))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """`[T, H]` to `[T, I]` to `[T, H]`, each token by itself."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.intermediate_size)
        self.down = nn.Linear(config.intermediate_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, hidden: Tensor) -> Tensor:
        """`[T, H]` to `[T, H]`"""
        return self.down(self.activation(self.up(hidden)))  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Attention, then feed-forward; each with dropout, a residual and a norm behind it (post-norm)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = config.hidden_dropout_prob

    def forward(self, hidden: Tensor, batch: Ragged, weights: list[list[Tensor]] | None) -> Tensor:
        """`[T, H]` to `[T, H]`"""
        attended = F.dropout(self.attention(hidden, batch, weights), self.dropout, self.training)
        hidden = self.attention_norm(hidden + attended)
        transformed = F.dropout(self.feed_forward(hidden), self.dropout, self.training)
        return self.feed_forward_norm(hidden + transformed)  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Embeddings and L layers.

    Attributes:
        checkpointing: whether training keeps only the input of each layer and computes the rest once more in
            the backward pass (Chen et al. 2016).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.config = config
        self.checkpointing = False

    def forward(
        self, batch: Ragged, *, output_hidden_states: bool = False, output_attentions: bool = False
    ) -> Encoding:
        """The hidden states of every token.

        Raises:
            BertwrightError: BW421, BW422 or BW423 for an id, a token type or a position without a row.
        """
        self._check(batch)
        weights: list[list[Tensor]] | None = [] if output_attentions else None
        hidden = self.embeddings(batch)
        states = [hidden]
        for layer in self.layers:
            if self.checkpointing and self.training:
                hidden = checkpoint(layer, hidden, batch, weights, use_reentrant=False)
            else:
                hidden = layer(hidden, batch, weights)
            states.append(hidden)
        return Encoding(hidden, tuple(states) if output_hidden_states else (), tuple(weights or ()))

    def _check(self, batch: Ragged) -> None:
        """An index outside a table is a sentence on the CPU; a GPU would answer with a device-side assert."""
        if batch.input_ids.device.type != "cpu" or not batch.num_tokens:
            return
        tables = (
            ("BW421", batch.input_ids, self.config.vocab_size),
            ("BW422", batch.token_type_ids, self.config.type_vocab_size),
            ("BW423", batch.position_ids, self.config.max_position_embeddings),
        )
        for code, ids, rows in tables:
            low, high = torch.aminmax(ids)
            if low < 0 or high >= rows:
                raise BertwrightError(code, value=int(high if high >= rows else low), rows=rows)
