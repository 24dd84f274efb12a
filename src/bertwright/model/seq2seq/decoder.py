"""The Transformer decoder over ragged batches (Vaswani et al. 2017, section 3.1), of the encoder's blocks.

Each layer is BERT's with attention that looks back only, and attention over the encoded source after it.

Shapes: T tokens of the targets, U of the sources, B pairs, H hidden size, A heads, D head size, L layers, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bertwright.data.ragged import Ragged
from bertwright.model.attention.across import attend_across
from bertwright.model.config import BertConfig
from bertwright.model.dropout import Dropout, rate_now
from bertwright.model.encoder import Attention, Embeddings, Intermediate, Residual, check_indices, run_layer
from bertwright.model.heads import MaskedLanguageModelHead, PreTrainingHeads
from bertwright.model.joined import JoinedProjections
from bertwright.model.typed_modules import Linear, Module

Look = Callable[[Tensor], Tensor]


class CrossSelf(JoinedProjections):
    """Queries from the target, keys and values from the source, these two from one matrix product."""

    whole, parts = "key_value", ("key", "value")

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.query = Linear(config.hidden_size, config.hidden_size)
        self.join(config.hidden_size)
        self.dropout = Dropout(config.attention_probs_dropout_prob)
        self.num_heads = config.num_attention_heads

    def ask(self, hidden: Tensor) -> Tensor:
        """Queries `[T, A, D]` of `hidden [T, H]`."""
        return torch.unflatten(self.query(hidden), -1, (self.num_heads, -1))

    def read(self, memory: Tensor) -> Tensor:
        """Keys and values `[U, 2, A, D]` of the encoded sources `[U, H]`."""
        return torch.unflatten(self.project(memory), -1, (2, self.num_heads, -1))

    def forward(self, hidden: Tensor, target: Ragged, memory: Tensor, source: Ragged) -> Tensor:
        """`[T, H]` and the encoded sources `[U, H]` to `[T, H]`."""
        return attend_across(self.ask(hidden), self.read(memory), target, source, rate_now(self.dropout)).flatten(1)


class CrossAttention(Module):
    """Attention over the encoded source, and what follows it."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = CrossSelf(config)
        self.output = Residual(config, config.hidden_size)


class DecoderLayer(Module):
    """Causal attention, cross-attention, feed-forward network."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = Attention(config, causal=True)
        self.crossattention = CrossAttention(config)
        self.intermediate = Intermediate(config)
        self.output = Residual(config, config.intermediate_size)

    def forward(self, hidden: Tensor, target: Ragged, memory: Tensor, source: Ragged) -> Tensor:
        """`[T, H]` and the encoded sources `[U, H]` to `[T, H]`."""
        return self.through(
            hidden,
            lambda states: self.attention.self(states, target, None),
            lambda states: self.crossattention.self(states, target, memory, source),
        )

    def through(self, hidden: Tensor, look_back: Look, look_across: Look) -> Tensor:
        """`[n, H]` to `[n, H]`; the two functions attend over what was written, and over the sources."""
        hidden = self.attention.output(look_back(hidden), hidden)
        hidden = self.crossattention.output(look_across(hidden), hidden)
        return self.output(self.intermediate(hidden), hidden)


class DecoderLayers(Module):
    """L layers.

    Attributes:
        checkpointing: as of the encoder.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_hidden_layers))
        self.checkpointing = False

    def forward(self, hidden: Tensor, target: Ragged, memory: Tensor, source: Ragged) -> Tensor:
        """The output `[T, H]` of the last layer; `hidden [T, H]` are the embeddings of the targets."""
        for layer in self.layer:
            hidden = run_layer(layer, self.checkpointing and self.training, hidden, target, memory, source)
        return hidden


class Decoder(Module):
    """Embeddings and L layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = DecoderLayers(config)  # the name of the peers

    def forward(self, target: Ragged, memory: Tensor, source: Ragged) -> Tensor:
        """`[T, H]`: the output of the last layer for every target token.

        Args:
            target: the tokens of the targets.
            memory: `[U, H]` what the encoder made of the sources.
            source: where these lie.

        Raises:
            BertwrightError: BW421, BW422 or BW423 for an id, a token type or a position without a row.
        """
        check_indices(self.embeddings, target)
        return self.encoder(self.embeddings(target), target, memory, source)


class LanguageModel(Module):
    """A decoder and the scores of its next tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = Decoder(config)
        self.cls = PreTrainingHeads()
        self.cls.predictions = MaskedLanguageModelHead(config)

    @property
    def words(self) -> Tensor:
        """The table `[V, H]` of its words."""
        return self.bert.embeddings.word_embeddings.weight


def sinusoids(rows: int, width: int) -> Tensor:
    """`[rows, width]`: sines in the even columns, cosines in the odd ones (Vaswani et al. 2017, section 3.5)."""
    places = torch.arange(rows, dtype=torch.float64)[:, None]
    rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    table = torch.empty(rows, width, dtype=torch.float64)
    table[:, 0::2] = (places * rates).sin()
    table[:, 1::2] = (places * rates).cos()[:, : width // 2]
    return table.float()
