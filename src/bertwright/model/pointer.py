"""Spans as pairs of a first and a last word: `BertForSpanPointing`, after Su et al. 2022, "Global Pointer".

Shapes: T tokens, B sequences, S longest sequence, H hidden size, D size of a pointer, C types.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bertwright.data.ragged import Ragged
from bertwright.model.config import BertConfig
from bertwright.model.encoder import Encoding
from bertwright.model.models import BertWithHead
from bertwright.model.typed_modules import Linear, Module

POINTER_SIZE = 64


class SpanPointer(Module):
    """What each token says about being the first and about being the last one of a span.

    The efficient form (Su et al. 2022, section 3.3): all types share one bilinear form, and each type adds what it
    thinks of the two ends. Positions enter by rotation, so that it sees how far the ends are apart.
    """

    def __init__(self, config: BertConfig, types: int) -> None:
        super().__init__()
        rate = config.classifier_dropout
        self.dropout = nn.Dropout(config.hidden_dropout_prob if rate is None else rate)
        self.ends = Linear(config.hidden_size, 2 * POINTER_SIZE)
        self.types = Linear(2 * POINTER_SIZE, 2 * types)

    def forward(self, hidden: Tensor, positions: Tensor) -> Tensor:
        """`[T, 2 D + 2 C]`: rotated first and last, and the types' opinion of first and last."""
        ends = self.ends(self.dropout(hidden))
        first, last = ends.chunk(2, -1)
        return torch.cat([rotated(first, positions), rotated(last, positions), self.types(ends)], -1)


class BertForSpanPointing(BertWithHead):
    """Scores `[T, 2 D + 2 C]`, of which `pair_scores` makes the score of every pair of tokens for every type.

    A pair whose score is above 0 is a span; spans may lie in each other.
    """

    needs_pooler = False
    label_arguments = ()

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.pointer = SpanPointer(config, len(config.labels))
        self.initialise_head()

    def head(self, encoding: Encoding, batch: Ragged) -> Tensor:
        return self.pointer(encoding.last, batch.position_ids)


def rotated(values: Tensor, positions: Tensor) -> Tensor:
    """`values [T, D]` turned by their positions `[T]`: a product of two then depends on their distance.

    Su et al. 2021, "RoFormer", equation 34.
    """
    half = values.shape[-1] // 2
    rates = 10000.0 ** (-torch.arange(half, device=values.device, dtype=torch.float32) / half)
    angles = positions.float()[:, None] * rates
    sine, cosine = angles.sin().to(values.dtype), angles.cos().to(values.dtype)
    left, right = values[..., 0::2], values[..., 1::2]
    turned = torch.stack([left * cosine - right * sine, right * cosine + left * sine], -1)
    return turned.flatten(-2)


def pair_scores(features: Tensor) -> Tensor:
    """`[C, S, S]` from the scores `[S, 2 D + 2 C]` of one sequence: row the first token, column the last one.

    A pair whose last token stands before its first one has the lowest number of its type. The scores have the type of
    the features, also under autocast.
    """
    size = POINTER_SIZE
    first, last, types = features[:, :size], features[:, size : 2 * size], features[:, 2 * size :]
    begin, end = types.T.chunk(2)  # [C, S] each
    with torch.autocast(features.device.type, enabled=False):
        products = first @ last.T
    scores: Tensor = (products / size**0.5)[None] + begin[:, :, None] + end[:, None, :]
    below = torch.ones(len(features), len(features), dtype=torch.bool, device=features.device).tril(-1)
    return scores.masked_fill(below, torch.finfo(scores.dtype).min)
