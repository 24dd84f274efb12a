"""The padded form, in the words of `transformers`: `forward` packs what it is given, and pads what it gives.

Shapes: T tokens, B sequences, S longest sequence, H hidden size, A heads.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bertwright.data.ragged import Places, Ragged, from_padded
from bertwright.errors import BertwrightError
from bertwright.model.encoder import Encoding
from bertwright.model.outputs import ModelOutput
from bertwright.model.pretrained import Pretrained


class PaddedModel(Pretrained):
    """A model that `forward` calls with padded ids. A subclass says how a batch is encoded, and what comes of it.

    Attributes:
        label_arguments: the labels that `forward` takes.
        reads_first_only: whether nothing but the first token of each sequence is read of what is encoded.
    """

    label_arguments: tuple[str, ...] = ()
    reads_first_only = False

    def encode(self, batch: Ragged, **wanted: bool) -> Encoding:
        """Hidden states; `wanted`: output_hidden_states, output_attentions, first_only (see `Encoder.forward`)."""
        raise NotImplementedError

    def output(self, encoding: Encoding, batch: Ragged, places: Places, labels: dict[str, Tensor]) -> ModelOutput:
        """The padded output, with the loss where labels are given."""
        raise NotImplementedError

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
        encoding = self.encode(
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


def refuse_unknown(model: Pretrained, given: dict[str, Any], known: tuple[str, ...]) -> None:
    """Raise BW424 for an argument that `model` does not have; one that is None asks for nothing."""
    unknown = [name for name, value in given.items() if name not in known and value is not None]
    if unknown:
        listed = ", ".join((*known, "output_hidden_states", "output_attentions", "return_dict"))
        raise BertwrightError("BW424", model=type(model).__name__, argument=unknown[0], known=listed)


def pad_states(encoding: Encoding, places: Places) -> tuple[Tensor, ...] | None:
    """The hidden states as `L + 1` tensors `[B, S, H]`, where they were asked for."""
    return tuple(places.pad(state) for state in encoding.hidden_states) or None


def pad_attentions(encoding: Encoding, batch: Ragged, places: Places) -> tuple[Tensor, ...] | None:
    """The attention weights as L tensors `[B, A, S, S]`, where they were asked for; zero at pads."""
    if not encoding.attentions:
        return None
    columns = torch.split(places.index % places.width, list(batch.lengths))
    padded = []
    for weights in encoding.attentions:
        heads = weights[0].shape[0]
        whole = weights[0].new_zeros(places.batch_size, heads, places.width, places.width)
        for row, (weight, here) in enumerate(zip(weights, columns)):
            whole[row, :, here[:, None], here] = weight
        padded.append(whole)
    return tuple(padded)
