"""The models: the encoder, and the encoder with the heads of fine-tuning.

Each has `scores(batch)`, which runs over a ragged batch and is what the toolkit itself calls, and `forward`,
which takes and gives the padded form in the words of `transformers`. Losses in `forward` are theirs, too.

Shapes: T tokens, B sequences, S longest sequence, H hidden size, C classes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.data.ragged import Places, Ragged, from_padded
from bertwright.errors import BertwrightError
from bertwright.model.config import BertConfig
from bertwright.model.encoder import Encoder, Encoding
from bertwright.model.heads import Classifier, Pooler
from bertwright.model.losses import class_loss, text_loss, token_loss
from bertwright.model.outputs import (
    EncoderOutput,
    ModelOutput,
    QuestionAnsweringOutput,
    ScoresOutput,
)
from bertwright.model.padded import pad_attentions, pad_states
from bertwright.model.pretrained import Pretrained


class BertModel(Pretrained):
    """The encoder and its pooler."""

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.encoder = Encoder(config)
        self.pooler = Pooler(config) if add_pooling_layer else None
        self.initialise()

    def encode(self, batch: Ragged, **wanted: bool) -> Encoding:
        """Hidden states; `wanted`: output_hidden_states, output_attentions, first_only (see `Encoder.forward`)."""
        return self.encoder(batch, **wanted)  # type: ignore[no-any-return]

    def pool(self, encoding: Encoding, batch: Ragged) -> Tensor:
        """`[B, H]`: the pooled hidden state of the first real token of each sequence."""
        assert self.pooler is not None
        first = encoding.last if encoding.first_only else batch.first_of_each(encoding.last)
        return self.pooler(first)  # type: ignore[no-any-return]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        return_dict: bool | None = True,
        **unknown: Any,
    ) -> Any:
        """Padded ids `[B, S]` to `EncoderOutput`; places that the mask leaves out are zero.

        Raises:
            BertwrightError: as `BertWithHead.forward`.
        """
        refuse_unknown(self, unknown, ())
        batch, places = from_padded(input_ids, attention_mask, token_type_ids, position_ids)
        encoding = self.encode(batch, output_hidden_states=output_hidden_states, output_attentions=output_attentions)
        output = EncoderOutput(
            last_hidden_state=places.pad(encoding.last),
            pooler_output=None if self.pooler is None else self.pool(encoding, batch),
            hidden_states=pad_states(encoding, places),
            attentions=pad_attentions(encoding, batch, places),
        )
        return output.to_tuple() if return_dict is False else output


class BertWithHead(Pretrained):
    """An encoder and a head. A subclass says what is scored, and how scores become an output.

    Attributes:
        needs_pooler: whether the head stands on the pooler.
        reads_first_only: whether it reads nothing but the first token of each sequence.
    """

    needs_pooler = True
    reads_first_only = False
    label_arguments: tuple[str, ...] = ("labels",)

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=self.needs_pooler)

    def initialise_head(self) -> None:
        """Fresh values for what stands on the encoder, which has its own already."""
        self.initialise(only={name for name, _ in self.named_parameters() if not name.startswith("bert.")})

    def checkpoint_layers(self, wanted: bool) -> None:
        """Whether training keeps only the input of each layer; see `Encoder`."""
        self.bert.encoder.checkpointing = wanted

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        """The scores of this model for an encoded batch."""
        raise NotImplementedError

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        """The padded output, with the loss where labels are given."""
        raise NotImplementedError

    def scores(self, batch: Ragged) -> Tensor:
        """The scores of this model for a ragged batch; their shape stands in the class's docstring."""
        return self.head(self.bert.encode(batch, first_only=self.reads_first_only), batch)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        return_dict: bool | None = True,
        **labels: Tensor | None,
    ) -> Any:
        """Padded ids `[B, S]` to logits, and to the loss where labels are given.

        Raises:
            BertwrightError: BW420 a shape, BW421 to BW423 an index outside its table, BW424 an argument
                this model does not have.
        """
        refuse_unknown(self, labels, self.label_arguments)
        batch, places = from_padded(input_ids, attention_mask, token_type_ids, position_ids)
        encoding = self.bert.encode(
            batch,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            first_only=self.reads_first_only,
        )
        given = {name: tensor for name, tensor in labels.items() if tensor is not None}
        output = self.output(encoding, batch, places, given)
        output.hidden_states = pad_states(encoding, places)
        output.attentions = pad_attentions(encoding, batch, places)
        return output.to_tuple() if return_dict is False else output


class BertForSequenceClassification(BertWithHead):
    """Scores `[B, C]`: the class (or, with one output, the value) of each text or pair of texts."""

    reads_first_only = True

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.classifier = Classifier(config, len(config.labels))
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.classifier(self.bert.pool(encoding, batch))  # type: ignore[no-any-return]

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        scores = self.head(encoding, batch)
        target = labels.get("labels")
        loss = None if target is None else text_loss(scores, target, self.config.problem_type)
        return ScoresOutput(loss=loss, logits=scores)


class BertForTokenClassification(BertWithHead):
    """Scores `[T, C]`: the class of each token."""

    needs_pooler = False

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.classifier = Classifier(config, len(config.labels))
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.classifier(encoding.last)  # type: ignore[no-any-return]

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        scores = self.head(encoding, batch)
        target = labels.get("labels")
        loss = None if target is None else token_loss(scores, target, places)
        return ScoresOutput(loss=loss, logits=places.pad(scores))


class BertForQuestionAnswering(BertWithHead):
    """Scores `[T, 2]`: whether an answer starts, and whether it ends, at each token.

    A pad can be neither: its logits are the lowest number of their type and it takes no part in the loss. Classes of a
    config that are those of another task are not kept: by their number the peers would shape this head.
    """

    needs_pooler = False
    label_arguments = ("start_positions", "end_positions")

    def __init__(self, config: BertConfig) -> None:
        if config.num_labels != 2:
            config = replace(config, num_labels=2, id2label=None, label2id=None)
        super().__init__(config)
        self.qa_outputs = torch.nn.Linear(config.hidden_size, 2)
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.qa_outputs(encoding.last)  # type: ignore[no-any-return]

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        scores = self.head(encoding, batch)
        real = places.pad(torch.ones_like(scores[:, 0], dtype=torch.bool))
        padded = places.pad(scores).masked_fill(~real[..., None], torch.finfo(scores.dtype).min)
        start, end = padded.unbind(-1)
        loss = None
        if len(labels) == 2:
            one, other = (
                self._loss(part, labels[name], real) for part, name in zip((start, end), self.label_arguments)
            )
            loss = (one + other) / 2
        return QuestionAnsweringOutput(loss=loss, start_logits=start, end_logits=end)

    @staticmethod
    def _loss(scores: Tensor, position: Tensor, real: Tensor) -> Tensor:
        outside = scores.shape[1]  # a position behind the text, or at a pad: the answer was cut off, and does not count
        position = position.view(-1).clamp(0, outside)
        there = F.pad(real, (0, 1)).gather(1, position[:, None]).squeeze(1)
        return F.cross_entropy(scores, position.where(there, outside), ignore_index=outside)


class BertForMultipleChoice(BertWithHead):
    """Scores `[B, 1]` for B texts, each a question with one of its choices; `forward` takes `[B, choices, S]`."""

    reads_first_only = True

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.classifier = Classifier(config, 1)
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.classifier(self.bert.pool(encoding, batch))  # type: ignore[no-any-return]

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        return ScoresOutput(logits=self.head(encoding, batch))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        return_dict: bool | None = True,
        **wanted: Any,
    ) -> Any:
        """Padded ids `[B, choices, S]` to logits `[B, choices]`, and to the loss where `labels [B]` are given.

        Raises:
            BertwrightError: BW420 ids of another shape, and those of `BertWithHead.forward`.
        """
        if input_ids.dim() != 3:
            shape = list(input_ids.shape)
            raise BertwrightError("BW420", what="input_ids", shape=shape, expected="[B, choices, S]")
        tensors = (input_ids, attention_mask, token_type_ids, position_ids)
        flat = [tensor if tensor is None else tensor.flatten(0, 1) for tensor in tensors]
        output = super().forward(*flat, **wanted)  # type: ignore[arg-type]
        output.logits = output.logits.view(input_ids.shape[:2])
        output.loss = None if labels is None else class_loss(output.logits, labels)
        return output.to_tuple() if return_dict is False else output


def refuse_unknown(model: Pretrained, given: dict[str, Any], known: tuple[str, ...]) -> None:
    """Raise BW424 for an argument that `model` does not have; one that is None asks for nothing."""
    unknown = [name for name, value in given.items() if name not in known and value is not None]
    if unknown:
        listed = ", ".join((*known, "output_hidden_states", "output_attentions", "return_dict"))
        raise BertwrightError("BW424", model=type(model).__name__, argument=unknown[0], known=listed)
