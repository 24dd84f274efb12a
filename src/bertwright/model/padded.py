"""The padded form, in the words of `transformers`: `forward` packs what it is given, and pads what it gives.

Shapes: T tokens, B sequences, S longest sequence, H hidden size, A heads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bertwright.data.ragged import Places, Ragged, from_padded
from bertwright.data.unpacked import Unpacked, is_recorded, unpacked
from bertwright.errors import BertwrightError
from bertwright.model.bert_pretrained import BertPreTrainedModel
from bertwright.model.config import BertConfig
from bertwright.model.encoder import Encoding
from bertwright.model.outputs import ModelOutput
from bertwright.model.pretrained import Pretrained


class PaddedModel(BertPreTrainedModel):
    """A model that `forward` calls with padded ids. A subclass says how a batch is encoded, and what comes of it.

    Attributes:
        label_arguments: the labels that `forward` takes.
        reads_first_only: whether nothing but the first token of each sequence is read of what is encoded.
    """

    label_arguments: tuple[str, ...] = ()
    reads_first_only = False

    def encode(self, batch: Ragged, words: Tensor | None = None, **wanted: bool) -> Encoding:
        """Hidden states.

        Args:
            batch: the tokens.
            words: `[T, H]` in place of the rows of the word table.
            **wanted: output_hidden_states, output_attentions, first_only (see `Encoder.forward`).
        """
        raise NotImplementedError

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        """The padded output, with the loss where labels are given."""
        raise NotImplementedError

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        *,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
        **labels: Tensor | None,
    ) -> Any:
        """Padded ids `[B, S]`, or words `[B, S, H]` in their place, to logits, and to the loss where labels are given.

        What the three last arguments do not say stands in the config, as `from_pretrained` puts it there.

        Raises:
            BertwrightError: BW346 neither or both of ids and words, BW420 a shape, BW421 to BW423 an index outside its
                table, BW424 an argument this model does not have.
        """
        refuse_unknown(self, labels, self.label_arguments)
        ids = self._ids_or_none(input_ids, inputs_embeds)
        pack = unpacked if is_recorded() else from_padded
        batch, places = pack(ids, attention_mask, token_type_ids, position_ids)
        batch = replace(batch, places=places)
        encoding = self.encode(
            batch,
            None if inputs_embeds is None else places.pick(inputs_embeds),
            output_hidden_states=_either(output_hidden_states, self.config, "output_hidden_states"),
            output_attentions=_either(output_attentions, self.config, "output_attentions"),
            first_only=self.reads_first_only,
        )
        given = {name: tensor for name, tensor in labels.items() if tensor is not None}
        output = self.output(encoding, batch, places, given)
        output.hidden_states = pad_states(encoding, places)
        output.attentions = pad_attentions(encoding, batch, places)
        return returned(output, return_dict, self.config)

    def _ids_or_none(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        """The ids, or zeros in the shape of the words that are given in their place."""
        if inputs_embeds is None and input_ids is not None:
            return input_ids
        if inputs_embeds is None or input_ids is not None:
            raise BertwrightError("BW346", model=type(self).__name__)
        size = self.config.hidden_size
        if inputs_embeds.dim() != 3 or inputs_embeds.shape[2] != size:
            expected = f"[B, S, {size}]"
            raise BertwrightError("BW420", what="inputs_embeds", shape=list(inputs_embeds.shape), expected=expected)
        return torch.zeros(inputs_embeds.shape[:2], dtype=torch.int64, device=inputs_embeds.device)


def returned(output: ModelOutput, return_dict: bool | None, config: BertConfig) -> ModelOutput | tuple[Any, ...]:
    """The output, or a tuple of it where the call, or else the config, asks for that."""
    return output if _either(return_dict, config, "return_dict") else output.to_tuple()


def _either(said: bool | None, config: BertConfig, name: str) -> bool:
    """What a call says, or else the config."""
    return config.of_calls(name) if said is None else said


def refuse_unknown(model: Pretrained, given: dict[str, Any], known: tuple[str, ...]) -> None:
    """Raise BW424 for an argument that `model` does not have; one that is None, or False, asks for nothing."""
    unknown = [name for name, value in given.items() if name not in known and value is not None and value is not False]
    if unknown:
        listed = ", ".join(("inputs_embeds", *known, "output_hidden_states", "output_attentions", "return_dict"))
        raise BertwrightError("BW424", model=type(model).__name__, argument=unknown[0], known=listed)


def pad_states(encoding: Encoding, places: Places) -> tuple[Tensor, ...] | None:
    """The hidden states as `L + 1` tensors `[B, S, H]`, where they were asked for."""
    return tuple(places.pad(state) for state in encoding.hidden_states) or None


def pad_attentions(encoding: Encoding, batch: Ragged, places: Places) -> tuple[Tensor, ...] | None:
    """The attention weights as L tensors `[B, A, S, S]`, where they were asked for; zero at pads."""
    if not encoding.attentions:
        return None
    if isinstance(batch, Unpacked):
        return tuple(map(torch.stack, encoding.attentions))
    columns = torch.split(places.index % places.width, list(batch.lengths))
    padded = []
    for weights in encoding.attentions:
        heads = weights[0].shape[0]
        whole = weights[0].new_zeros(places.batch_size, heads, places.width, places.width)
        for row, (weight, here) in enumerate(zip(weights, columns)):
            whole[row, :, here[:, None], here] = weight
        padded.append(whole)
    return tuple(padded)
