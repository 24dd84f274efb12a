"""The models of pre-training: masked language model, next sentence prediction, and both.

Shapes: T tokens, B sequences, H hidden size, V vocabulary, M chosen tokens.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from bertwright.data.ragged import Places, Ragged
from bertwright.model.config import BertConfig
from bertwright.model.encoder import Encoding
from bertwright.model.heads import MaskedLanguageModelHead, PreTrainingHeads
from bertwright.model.losses import class_loss, token_loss
from bertwright.model.models import BertWithHead
from bertwright.model.outputs import ModelOutput, PreTrainingOutput
from bertwright.model.typed_modules import Linear


class BertForMaskedLM(BertWithHead):
    """Scores `[T, V]`: which word stands at each place."""

    needs_pooler = False

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.cls = PreTrainingHeads(self)
        self.cls.predictions = MaskedLanguageModelHead(config)
        self.register_state_dict_post_hook(_repeat_what_is_tied)  # type: ignore[no-untyped-call]
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.predict(encoding.last)

    def predict(self, hidden: Tensor) -> Tensor:
        """`hidden [M, H]`, only the places of interest, to `[M, V]`."""
        return self.cls.predictions(hidden, self.bert.embeddings.word_embeddings.weight)

    def predict_loss(self, hidden: Tensor, labels: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy at `hidden [M, H]` with `labels [M]`, and how many score best: each adds its share of `[M]`."""
        words = self.bert.embeddings.word_embeddings.weight
        return self.cls.predictions.loss(hidden, words, labels, shares)

    def loss(self, scores: Tensor, labels: Tensor, batch: Ragged, places: Places) -> Tensor:
        return token_loss(scores, labels, places)


class BertForNextSentencePrediction(BertWithHead):
    """Scores `[B, 2]`: column 0, the second text follows the first; column 1, it is from elsewhere."""

    reads_first_only = True

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.cls = PreTrainingHeads(self)
        self.cls.seq_relationship = Linear(config.hidden_size, 2)
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.cls.seq_relationship(self.pooled(encoding, batch))

    def loss(self, scores: Tensor, labels: Tensor, batch: Ragged, places: Places) -> Tensor:
        return class_loss(scores, labels)


class BertForPreTraining(BertForMaskedLM):
    """Both heads of pre-training. Scores `[T, V]`; `predict` and `follows` give each head its own places."""

    needs_pooler = True
    label_arguments = ("labels", "next_sentence_label")

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.cls.seq_relationship = Linear(config.hidden_size, 2)
        self.initialise_head()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        **wanted: Any,
    ) -> Any:
        """See `PaddedModel.forward`; `labels [B, S]` are words, `next_sentence_label [B]` is 0 or 1."""
        wanted |= {"labels": labels, "next_sentence_label": next_sentence_label}
        return super().forward(input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **wanted)

    def follows(self, encoding: Encoding, batch: Ragged) -> Tensor:
        """`[B, 2]`: column 0, the second text follows the first; column 1, it is from elsewhere."""
        return self.cls.seq_relationship(self.pooled(encoding, batch))

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        scores = self.head(encoding, batch)
        follows = self.follows(encoding, batch)
        loss = None
        if len(labels) == 2:  # as in the peers: the loss is the sum of both, or is not given
            loss = token_loss(scores, labels["labels"], places) + class_loss(follows, labels["next_sentence_label"])
        return PreTrainingOutput(loss=loss, prediction_logits=places.pad(scores), seq_relationship_logits=follows)


def _repeat_what_is_tied(model: BertForMaskedLM, state: dict[str, Any], prefix: str, _: Any) -> None:
    """A state of the peers has the tensors of a tied head under both of their names."""
    words = state.get(f"{prefix}{model.base_model_prefix}.embeddings.word_embeddings.weight")
    bias = state.get(f"{prefix}cls.predictions.bias")
    if not isinstance(words, nn.Parameter) and words is not None and bias is not None:  # no `keep_vars`
        state.setdefault(f"{prefix}cls.predictions.decoder.weight", words)
        state[f"{prefix}cls.predictions.decoder.bias"] = bias
