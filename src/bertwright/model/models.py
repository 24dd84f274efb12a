"""The models: the encoder, and the encoder with the heads of fine-tuning.

Each has `scores(batch)`, which runs over a ragged batch and is what the toolkit itself calls, and `forward`,
which takes and gives the padded form in the words of `transformers`. Losses in `forward` are theirs, too.

Shapes: T tokens, B sequences, S longest sequence, H hidden size, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertwright.data.ragged import Places, Ragged
from bertwright.data.unpacked import Unpacked
from bertwright.errors import BertwrightError
from bertwright.model.config import BertConfig
from bertwright.model.dropout import has_hooks
from bertwright.model.encoder import Embeddings, Encoder, Encoding, check_indices
from bertwright.model.heads import Pooler, classifier_dropout
from bertwright.model.losses import class_loss, text_loss, token_loss
from bertwright.model.outputs import EncoderOutput, ModelOutput, QuestionAnsweringOutput, ScoresOutput
from bertwright.model.padded import PaddedModel, returned
from bertwright.model.parameter_groups import ParameterGroup
from bertwright.model.typed_modules import Linear
from bertwright.model.watched import encoded_by_call, in_padded_form, is_watched_inside, over_tokens


class BertModel(PaddedModel):
    """The encoder and its pooler."""

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = Pooler(config) if add_pooling_layer else None
        self.initialise()

    def encode(self, batch: Ragged, words: Tensor | None = None, **wanted: bool) -> Encoding:
        """Hidden states; see `PaddedModel.encode`.

        Raises:
            BertwrightError: BW421, BW422 or BW423 for an id, a token type or a position without a row.
        """
        check_indices(self.embeddings, batch)
        if batch.places is not None and (isinstance(batch, Unpacked) or is_watched_inside(self)):
            return self._encode_padded(batch, batch.places, words, wanted)
        hidden = self.embeddings(batch) if words is None else self.embeddings(batch, inputs_embeds=words)
        encoding: Encoding = self.encoder(hidden, batch, **wanted)
        return encoding

    def _encode_padded(self, batch: Ragged, places: Places, words: Tensor | None, wanted: dict[str, bool]) -> Encoding:
        """The same for whoever watches: embeddings and layers see and give `[B, S, H]`."""
        padded = in_padded_form(batch, places)
        hidden = self.embeddings(padded) if words is None else self.embeddings(padded, inputs_embeds=places.pad(words))
        made: Encoding = self.encoder(hidden, padded, **wanted)
        return replace(made, last=places.pick(made.last), hidden_states=tuple(map(places.pick, made.hidden_states)))

    def pool(self, encoding: Encoding, batch: Ragged) -> Tensor:
        """`[B, H]`: the pooled hidden state of the first real token of each sequence."""
        assert self.pooler is not None
        first = encoding.last if encoding.first_only else batch.first_of_each(encoding.last)
        return self.pooler(first)

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        """`EncoderOutput`; places that the mask leaves out are zero."""
        pooled = None if self.pooler is None else self.pool(encoding, batch)
        return EncoderOutput(last_hidden_state=places.pad(encoding.last), pooler_output=pooled)


class BertWithHead(PaddedModel):
    """An encoder and a head. A subclass says what is scored, and how scores become an output.

    Attributes:
        needs_pooler: whether the head stands on the pooler.
        head_name: what people call what stands on the encoder.
    """

    needs_pooler = True
    head_name: ClassVar[str] = "head"
    label_arguments: tuple[str, ...] = ("labels",)
    bert: BertModel

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.add_module(self.base_model_prefix, BertModel(config, add_pooling_layer=self.needs_pooler))

    @property
    def base_model(self) -> BertModel:
        """The encoder."""
        encoder: BertModel = getattr(self, self.base_model_prefix)
        return encoder

    def initialise_head(self) -> None:
        """Fresh values for what stands on the encoder, which has its own already."""
        self.initialise(
            only={name for name, _ in self.named_parameters() if not name.startswith(self.base_model_prefix + ".")}
        )

    def parameter_groups(self) -> list[ParameterGroup]:
        """Every parameter once: the embeddings, the layers from the lowest to the highest, and what is on them."""
        embeddings, layers = tuple(self.base_model.embeddings.parameters()), self.base_model.encoder.layer
        transitions = tuple(self.transitions())
        groups = [ParameterGroup("embeddings", len(layers) + 1, embeddings)]
        for index, layer in enumerate(layers):
            groups.append(ParameterGroup("layer", len(layers) - index, tuple(layer.parameters())))
        elsewhere = {id(one) for one in (*embeddings, *layers.parameters(), *transitions)}
        head = tuple(parameter for parameter in self.parameters() if id(parameter) not in elsewhere)
        groups.append(ParameterGroup(self.head_name, 0, head))
        return [*groups, ParameterGroup("transitions", 0, transitions)] if transitions else groups

    def transitions(self) -> Iterable[nn.Parameter]:
        """Those that say which answer may follow which; none in most models."""
        return ()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        """The scores of this model for an encoded batch."""
        raise NotImplementedError

    def pooled(self, encoding: Encoding, batch: Ragged) -> Tensor:
        """`[B, H]`: the pooled hidden state of the first real token of each sequence."""
        return self.base_model.pool(encoding, batch) if encoding.pooled is None else encoding.pooled

    def encode(self, batch: Ragged, words: Tensor | None = None, **wanted: bool) -> Encoding:
        base: nn.Module = self.base_model
        if batch.places is not None and (type(base) is not BertModel or has_hooks(base)):
            return encoded_by_call(base, batch, batch.places, words, **wanted)
        return self.base_model.encode(batch, words, **wanted)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **wanted: Any,
    ) -> Any:
        """See `PaddedModel.forward`."""
        return super().forward(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, labels=labels, **wanted
        )

    def scores(self, batch: Ragged) -> Tensor:
        """The scores of this model for a ragged batch; their shape stands in the class's docstring."""
        return self.head(self.base_model.encode(batch, first_only=self.reads_first_only), batch)

    def loss(self, scores: Tensor, labels: Tensor, batch: Ragged, places: Places) -> Tensor:
        """Scalar, of the scores and padded labels of a batch."""
        raise NotImplementedError

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        """`ScoresOutput`; scores of tokens are padded with zeros."""
        scores = self.head(encoding, batch)
        loss = self.loss(scores, labels["labels"], batch, places) if "labels" in labels else None
        return ScoresOutput(loss=loss, logits=scores if self.reads_first_only else places.pad(scores))


class BertWithClassifier(BertWithHead):
    """A linear layer over the pooled first token, or, where `reads_first_only` is False, over every token."""

    def __init__(self, config: BertConfig, num_outputs: int | None = None) -> None:
        super().__init__(config)
        self.dropout = classifier_dropout(config)
        self.classifier = Linear(config.hidden_size, len(config.labels) if num_outputs is None else num_outputs)
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        if not self.reads_first_only:
            return over_tokens(batch, encoding.last, self.dropout, self.classifier)
        return self.classifier(self.dropout(self.pooled(encoding, batch)))


class BertForSequenceClassification(BertWithClassifier):
    """Scores `[B, C]`: the class (or, with one output, the value) of each text or pair of texts."""

    reads_first_only = True

    def loss(self, scores: Tensor, labels: Tensor, batch: Ragged, places: Places) -> Tensor:
        return text_loss(scores, labels, self.config.problem_type)


class BertForTokenClassification(BertWithClassifier):
    """Scores `[T, C]`: the class of each token."""

    needs_pooler = False

    def loss(self, scores: Tensor, labels: Tensor, batch: Ragged, places: Places) -> Tensor:
        return token_loss(scores, labels, places)


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
        self.qa_outputs = Linear(config.hidden_size, 2)
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return over_tokens(batch, encoding.last, self.qa_outputs)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **wanted: Any,
    ) -> Any:
        """See `PaddedModel.forward`; `start_positions` and `end_positions` are `[B]`, the columns of an answer."""
        wanted |= {"start_positions": start_positions, "end_positions": end_positions}
        return super().forward(input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **wanted)

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        scores = self.head(encoding, batch)
        real = places.pad(torch.ones_like(scores[:, 0], dtype=torch.bool))
        padded = places.pad(scores).masked_fill(~real[..., None], torch.finfo(scores.dtype).min)
        start, end = padded.unbind(-1)
        loss = None
        if len(labels) == 2:
            of_start = _position_loss(start, labels["start_positions"], real)
            loss = (of_start + _position_loss(end, labels["end_positions"], real)) / 2
        return QuestionAnsweringOutput(loss=loss, start_logits=start, end_logits=end)


class BertForMultipleChoice(BertWithClassifier):
    """Scores `[B, 1]` for B texts, each a question with one of its choices; `forward` takes `[B, choices, S]`."""

    reads_first_only = True

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config, num_outputs=1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        return_dict: bool | None = None,
        **wanted: Any,
    ) -> Any:
        """Padded ids `[B, choices, S]` to logits `[B, choices]`, and to the loss where `labels [B]` are given.

        Raises:
            BertwrightError: BW420 ids, or words in their place, of another shape, and those of `PaddedModel.forward`.
        """
        tensors = (input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds)
        shapes = (("input_ids", input_ids, "[B, choices, S]"), ("inputs_embeds", inputs_embeds, "[B, choices, S, H]"))
        for what, tensor, expected in shapes:
            if tensor is not None and tensor.dim() != 1 + expected.count(","):
                raise BertwrightError("BW420", what=what, shape=list(tensor.shape), expected=expected)
        ids, mask, types, places, words = (one if one is None else one.flatten(0, 1) for one in tensors)
        options: dict[str, Any] = {**wanted, "return_dict": True}
        output = super().forward(ids, mask, types, places, words, **options)
        first: Tensor = next(tensor for tensor in (input_ids, inputs_embeds) if tensor is not None)
        output.logits = output.logits.view(first.shape[:2])
        output.loss = None if labels is None else class_loss(output.logits, labels)
        return returned(output, return_dict, self.config)


def _position_loss(scores: Tensor, position: Tensor, real: Tensor) -> Tensor:
    outside = scores.shape[1]  # a position behind the text, or at a pad: the answer was cut off, and does not count
    position = position.view(-1).clamp(0, outside)
    there = F.pad(real, (0, 1)).gather(1, position[:, None]).squeeze(1)
    return F.cross_entropy(scores, position.where(there, outside), ignore_index=outside)
