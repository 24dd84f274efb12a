"""The encoder with a CRF on it: `BertCrfForTokenClassification`.

Shapes: T tokens, B sequences, S longest sequence, C tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertwright.data.ragged import Places, Ragged, from_padded
from bertwright.data.tagged.schemes import Scheme, may_follow, parse_tag
from bertwright.model.config import BertConfig
from bertwright.model.crf.linear_chain import LinearChainCrf
from bertwright.model.losses import IGNORED, labels_of
from bertwright.model.models import BertForTokenClassification


class BertCrfForTokenClassification(BertForTokenClassification):
    """Scores `[T, C]`: the emissions of each token, over which `crf` says which tags follow which.

    Where the labels of the config are tags of BIO or BIOES, the CRF allows only sequences that are well formed.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.crf = LinearChainCrf(len(config.labels), **masks_for(config.labels))

    def transitions(self) -> Iterable[nn.Parameter]:
        return self.crf.parameters()

    def loss(self, scores: Tensor, labels: Tensor, batch: Ragged, places: Places) -> Tensor:
        """That of the CRF over the places whose label is not -100, a mean over these."""
        picked = labels_of(labels, places)
        keep = picked != IGNORED
        return self.crf.loss(scores[keep], picked[keep], kept_seqlens(batch.cu_seqlens, keep))

    @torch.no_grad()
    def decode(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        words: Tensor | None = None,
    ) -> Tensor:
        """`[B, S]`: the best tags, -100 at the places that take no part.

        Args:
            input_ids, attention_mask, token_type_ids: `[B, S]`, as in `forward`.
            words: `[B, S]`, nonzero where the first piece of a word stands; any pattern. None: every real token but
                the first and the last of its sequence, which are [CLS] and [SEP].
        """
        batch, places = from_padded(input_ids, attention_mask, token_type_ids)
        scores = self.scores(batch)
        if words is None:
            keep = torch.ones(len(scores), dtype=torch.bool, device=scores.device)
            ends = batch.cu_seqlens.long()
            filled = ends.diff() > 0
            keep[ends[:-1][filled]] = False
            keep[ends[1:][filled] - 1] = False
        else:
            keep = places.pick(words) != 0
        tags = torch.full((len(scores),), IGNORED, dtype=torch.int64, device=scores.device)
        tags[keep] = self.crf.decode(scores[keep], kept_seqlens(batch.cu_seqlens, keep))
        padded = places.pad(tags - IGNORED)
        return padded + IGNORED


def kept_seqlens(cu_seqlens: Tensor, keep: Tensor) -> Tensor:
    """`[B + 1]`: where the sequences begin when only the positions of `keep [T]` are left."""
    before = F.pad(keep.long().cumsum(0), (1, 0))
    return before[cu_seqlens.long()]


def masks_for(labels: Sequence[str]) -> dict[str, Tensor]:
    """What a CRF over these labels allows, where they are tags of BIO or BIOES; else nothing is forbidden."""
    scheme: Scheme = "bioes" if any(label[:2] in ("E-", "S-") for label in labels) else "bio"
    tags = [parse_tag(label, scheme) for label in labels]
    if None in tags or not any(label.startswith("B-") for label in labels):
        return {}
    ends = [None, *tags]  # of a sentence, too
    # Models are built without memory first; what is allowed must be known nevertheless.
    allowed = torch.tensor([[may_follow(left, right, scheme) for right in ends] for left in ends], device="cpu")
    return {"allowed": allowed[1:, 1:], "allowed_start": allowed[0, 1:], "allowed_end": allowed[1:, 0]}
