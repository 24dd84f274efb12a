"""States and attention weights of a ragged batch in the padded form that `forward` returns.

Shapes: T tokens, B sequences, S longest sequence, H hidden size, A heads.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bertwright.data.ragged import Places, Ragged
from bertwright.model.encoder import Encoding


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
