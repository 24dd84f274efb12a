"""What stands on the encoder: pooler, masked language model, next sentence, classifiers.

Shapes: T tokens, B sequences, H hidden size, V vocabulary.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertwright.data.unpacked import is_recorded
from bertwright.model.activations import ACTIVATIONS
from bertwright.model.config import BertConfig
from bertwright.model.dropout import Dropout
from bertwright.model.typed_modules import LayerNorm, Linear, Module
from bertwright.model.vocabulary_loss import vocabulary_loss


class Embeds(Protocol):
    """A model with a word table."""

    def get_input_embeddings(self) -> Any: ...


FEW_ROWS = 8  # beyond, the two orders are about equally fast


class Pooler(Module):
    """A dense layer and tanh over the hidden state of [CLS]."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.hidden_size)

    def forward(self, first: Tensor) -> Tensor:
        """`[B, H]` to `[B, H]`; of `[B, S, H]` the first column."""
        return self.dense(first[:, 0] if first.dim() == 3 else first).tanh()


class Transform(Module):
    """Dense, activation, norm (Devlin et al. 2019, section 3.1, released code)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.hidden_size)
        self.transform_act_fn = ACTIVATIONS[config.hidden_act]
        self.LayerNorm = LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        """`[n, H]` to `[n, H]`"""
        return self.LayerNorm(self.transform_act_fn(self.dense(hidden)))


class MaskedLanguageModelHead(Module):
    """Transform, then the scores of every vocabulary entry.

    The output matrix is the word table, handed in at each call, unless the config unties the two.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = Transform(config)
        self.decoder: Linear | None = None
        if not config.tie_word_embeddings:
            self.decoder = Linear(config.hidden_size, config.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor, word_table: Tensor) -> Tensor:
        """`hidden [n, H]`, only the rows whose scores are wanted, and `word_table [V, H]` to `[n, V]`."""
        transformed, table = self.transform(hidden), self._output(word_table)
        plain = torch.is_grad_enabled() or is_recorded() or transformed.dim() != 2
        if not plain and transformed.device.type == "cpu" and 1 < len(transformed) <= FEW_ROWS:
            return few_by_table(transformed, table, self.bias)
        return F.linear(transformed, table, self.bias)

    def loss(
        self, hidden: Tensor, word_table: Tensor, labels: Tensor, shares: Tensor, smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Loss and hits of the scores of `hidden [n, H]`; see `vocabulary_loss`."""
        table = self._output(word_table)
        return vocabulary_loss(self.transform(hidden), table, self.bias, labels, shares, smoothing)

    def _output(self, word_table: Tensor) -> Tensor:
        return word_table if self.decoder is None else self.decoder.weight


class PreTrainingHeads(nn.Module):
    """What stands on an encoder while it is pre-trained: one of the two, or both."""

    predictions: MaskedLanguageModelHead
    seq_relationship: Linear

    def __init__(self, words: Embeds | None = None) -> None:
        super().__init__()
        self._words = (words,)  # in a tuple: the model is not inside of its head

    def forward(self, states: Tensor, pooled: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """For who calls it on its own: what the heads that are here score.

        Args:
            states: `[..., H]` of tokens; or `[B, H]`, pooled, where only the next sentence is scored.
            pooled: `[B, H]`, where both are.
        """
        model = self._words[0]
        if "predictions" not in self._modules or model is None:
            return self.seq_relationship(states)
        scores = self.predictions(states, model.get_input_embeddings().weight)
        return scores if pooled is None else (scores, self.seq_relationship(pooled))


def few_by_table(rows: Tensor, table: Tensor, bias: Tensor) -> Tensor:
    """`linear` of `rows [n, H]` with a tall `table [V, H]`, on a CPU, for small n: `[n, V]`.

    With the table on the left the matrix library need not bring it into another order for so few rows.
    """
    return torch.addmm(bias[:, None], table, rows.t()).t().contiguous()


def classifier_dropout(config: BertConfig) -> Dropout:
    """What every fine-tuning head of BERT begins with."""
    own = config.classifier_dropout
    return Dropout(config.hidden_dropout_prob if own is None else own)
