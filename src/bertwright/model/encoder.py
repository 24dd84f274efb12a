"""The BERT encoder over ragged batches (Devlin et al. 2019, section 3; Vaswani et al. 2017, section 3.1).

Shapes: T tokens, B sequences, H hidden size, A heads, D head size, I intermediate size, V vocabulary, L layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bertwright.data.ragged import Ragged
from bertwright.data.unpacked import Unpacked
from bertwright.errors import BertwrightError
from bertwright.model.activations import ACTIVATIONS
from bertwright.model.attention.attention import attend, attend_plain
from bertwright.model.attention.grouped import attend_first
from bertwright.model.called_alone import batch_of
from bertwright.model.config import BertConfig
from bertwright.model.dropout import Dropout, add_through, has_hooks, rate_now
from bertwright.model.joined import JoinedProjections
from bertwright.model.typed_modules import Embedding, LayerNorm, Linear, Module


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the encoder makes of a batch.

    Where a model is watched, the encoder itself gives `last` and `hidden_states` in the padded form `[B, S, H]`.

    Attributes:
        last: `[T, H]` output of the last layer; `[B, H]`, that of the first tokens, where `first_only`.
        hidden_states: `L + 1` tensors `[T, H]`, the embeddings first; empty unless asked for.
        attentions: L lists of B tensors `[A, s, s]`; empty unless asked for.
        first_only: whether the last layer was computed for the first token of each sequence only.
        pooled: `[B, H]`, where the encoder was called as the peers' and has pooled already.
    """

    last: Tensor
    hidden_states: tuple[Tensor, ...] = ()
    attentions: tuple[list[Tensor], ...] = ()
    first_only: bool = False
    pooled: Tensor | None = None

    @property
    def last_hidden_state(self) -> Tensor:
        """`last`, as the peers call it."""
        return self.last

    def __getitem__(self, index: int) -> Tensor:
        """`last` at 0, for who calls the encoder alone."""
        return (self.last, *self.hidden_states)[index]


class Embeddings(Module):
    """Word + position + token type, normed."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.position_embeddings = Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Ragged | Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor:
        """`[T, H]` of a ragged batch, or `[B, S, H]` of the padded form, its arguments as of a model.

        `inputs_embeds`, of the same shape, stand in place of the rows of the word table.
        """
        if isinstance(input_ids, Ragged):
            token_type_ids, position_ids = input_ids.token_type_ids, input_ids.position_ids
            input_ids = input_ids.input_ids
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # type: ignore[arg-type]
        if position_ids is None:
            position_ids = torch.arange(words.shape[1], device=words.device)
        types = torch.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        summed = words + self.token_type_embeddings(types) + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(summed))


class SelfAttention(JoinedProjections):
    """Self-attention with queries, keys and values from one matrix product.

    Attributes:
        causal: whether a token sees nothing that follows it, as in a decoder.
    """

    whole, parts = "qkv", ("query", "key", "value")
    qkv: Linear
    query: Linear
    key: Linear
    value: Linear

    def __init__(self, config: BertConfig, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal
        self.join(config.hidden_size)
        self.dropout = Dropout(config.attention_probs_dropout_prob)
        self.num_heads = config.num_attention_heads

    def project(self, hidden: Tensor) -> Tensor:
        """Queries, keys and values `[T, 3, A, D]` of `hidden [T, H]`."""
        return torch.unflatten(super().project(hidden), -1, (3, self.num_heads, -1))

    def forward(self, hidden: Tensor, batch: Ragged, weights: list[list[Tensor]] | None) -> Tensor:
        """`[T, H]` to `[T, H]`, or the padded form to itself; attention weights are appended to `weights`, a list."""
        places = None if hidden.dim() == 2 else batch.places
        qkv = self.project(hidden) if places is None else places.pick(self.project(hidden))
        dropout = rate_now(self.dropout)
        if weights is None:
            mixed = attend(qkv, batch, dropout, self.causal)
        else:
            mixed, weight = attend_plain(qkv, batch, dropout, self.causal)
            weights.append(weight)
        return mixed.flatten(1) if places is None else places.pad(mixed.flatten(1))

    def forward_first(self, first: Tensor, hidden: Tensor, batch: Ragged) -> Tensor:
        """What `forward` gives for the first token of each sequence: `[B, H]` of these and `[T, H]` to `[B, H]`."""
        size = first.shape[-1]
        query_weight, other_weight = torch.split(self.qkv.weight, [size, 2 * size])
        query_bias, other_bias = torch.split(self.qkv.bias, [size, 2 * size])
        query = F.linear(first, query_weight, query_bias).view(len(first), self.num_heads, -1)
        others = F.linear(hidden, other_weight, other_bias).view(len(hidden), 2, self.num_heads, -1)
        return attend_first(query, others, batch, rate_now(self.dropout)).flatten(1)


class Residual(Module):
    """What a part of a layer ends with: a product, dropout, the residual, and a norm behind it (post-norm)."""

    def __init__(self, config: BertConfig, size: int) -> None:
        super().__init__()
        self.dense = Linear(size, config.hidden_size)
        self.LayerNorm = LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, made: Tensor, residual: Tensor) -> Tensor:
        """`[T, size]` and `[T, H]` to `[T, H]`"""
        return self.LayerNorm(add_through(self.dropout, residual, self.dense(made)))


class Attention(Module):
    """Self-attention and what follows it."""

    def __init__(self, config: BertConfig, causal: bool = False) -> None:
        super().__init__()
        self.self = SelfAttention(config, causal)
        self.output = Residual(config, config.hidden_size)

    def forward(self, hidden: Tensor, batch: Ragged, weights: list[list[Tensor]] | None) -> Tensor:
        """`[T, H]` to `[T, H]`; where `weights` is a list, the attention weights are appended to it."""
        return self.output(self.self(hidden, batch, weights), hidden)

    def forward_first(self, first: Tensor, hidden: Tensor, batch: Ragged) -> Tensor:
        """What `forward` gives for the first token of each sequence: `[B, H]` of these and `[T, H]` to `[B, H]`."""
        return self.output(self.self.forward_first(first, hidden, batch), first)


class Intermediate(Module):
    """`[T, H]` to `[T, I]`, each token by itself."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.intermediate_size)
        self.intermediate_act_fn = ACTIVATIONS[config.hidden_act]

    def forward(self, hidden: Tensor) -> Tensor:
        """`[T, H]` to `[T, I]`"""
        return self.intermediate_act_fn(self.dense(hidden))


class Layer(Module):
    """Attention, then the feed-forward network."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = Residual(config, config.intermediate_size)

    def forward(
        self,
        hidden: Tensor,
        batch: Ragged | Tensor | None = None,
        weights: list[list[Tensor]] | None = None,
        *,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """`[T, H]` to `[T, H]`, or the padded form to itself, with a mask (see `batch_of`) in place of the batch."""
        batch = batch_of(hidden, attention_mask if batch is None else batch)
        attended = self.attention(hidden, batch, weights)
        return self.output(self.intermediate(attended), attended)

    def forward_first(self, hidden: Tensor, batch: Ragged, weights: None = None) -> Tensor:
        """What `forward` gives for the first token of each sequence, `[B, H]`, and nothing else computed."""
        attended = self.attention.forward_first(batch.first_of_each(hidden), hidden, batch)
        return self.output(self.intermediate(attended), attended)


class Encoder(nn.Module):
    """L layers.

    Attributes:
        checkpointing: whether training keeps only the input of each layer and computes the rest once more in
            the backward pass (Chen et al. 2016).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.checkpointing = bool(config.extra.get("gradient_checkpointing"))

    def forward(
        self,
        hidden: Tensor,
        batch: Ragged | Tensor | None = None,
        *,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        first_only: bool = False,
    ) -> Encoding:
        """The hidden states of every token, or of the first of each sequence.

        Args:
            hidden: `[T, H]` the embeddings of the tokens.
            batch: the tokens; or a mask (see `batch_of`) where `hidden` is the padded form.
            attention_mask: the same.
            output_hidden_states, output_attentions: whether to keep these.
            first_only: only the first tokens will be read, so that the last layer need not compute the others. Has
                no effect where more is asked for, where a sequence is empty, or where somebody put an adapter or a hook
                into that layer.
        """
        batch = batch_of(hidden, attention_mask if batch is None else batch)
        again = self.checkpointing and self.training
        wants_more = output_hidden_states or output_attentions
        short = self._short_layer(batch) if first_only and not wants_more and hidden.dim() == 2 else None
        weights: list[list[Tensor]] = []
        states = [hidden]
        for layer in self.layer if short is None else (*self.layer[:-1], short.forward_first):
            hidden = run_layer(layer, again, hidden, batch, weights if output_attentions else None)
            if output_hidden_states:
                states.append(hidden)
        return Encoding(hidden, tuple(states) if output_hidden_states else (), tuple(weights), short is not None)

    def _short_layer(self, batch: Ragged) -> Layer | None:
        """The last layer, where its `forward_first` can go around nothing but what this file made."""
        last = self.layer[-1] if len(self.layer) else None
        if isinstance(batch, Unpacked) or type(last) is not Layer or type(last.attention) is not Attention:
            return None
        if not all(batch.lengths):
            return None
        attention = last.attention.self
        if type(attention) is not SelfAttention or type(attention.qkv) is not Linear or not attention.is_whole():
            return None
        return None if any(map(has_hooks, (last, last.attention, attention, attention.qkv))) else last


def run_layer(layer: Callable[..., Tensor], again: bool, *inputs: object) -> Tensor:
    """What a layer makes of `inputs`, its inside kept for the backward pass or computed once `again`."""
    output: Tensor = checkpoint(layer, *inputs, use_reentrant=False) if again else layer(*inputs)
    return output


def check_indices(tables: Embeddings, batch: Ragged) -> None:
    """An index outside a table is a sentence on the CPU; a GPU would answer with a device-side assert.

    What somebody put in the place of a table has its own errors.

    Raises:
        BertwrightError: BW421, BW422 or BW423 for an id, a token type or a position without a row.
    """
    if batch.input_ids.device.type != "cpu" or isinstance(batch, Unpacked) or not batch.num_tokens:
        return
    looked_up = (
        ("BW421", batch.input_ids, tables.word_embeddings),
        ("BW422", batch.token_type_ids, tables.token_type_embeddings),
        ("BW423", batch.position_ids, tables.position_embeddings),
    )
    for code, ids, table in looked_up:
        low, high = torch.aminmax(ids)
        rows = getattr(table, "num_embeddings", int(high) + 1)
        if low < 0 or high >= rows:
            raise BertwrightError(code, value=int(high if high >= rows else low), rows=rows)
