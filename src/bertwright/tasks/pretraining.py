"""Pre-training: masked language model, alone or with a question about the order of two texts.

Shapes: B sequences, T tokens, M masked tokens, H hidden size, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bertwright.corpus.drawing.sampler import PretrainExample
from bertwright.corpus.drawing.sampling_settings import Objective as Pairs
from bertwright.data.ragged import Ragged
from bertwright.model.models import BertWithHead
from bertwright.model.pretraining_models import BertForMaskedLM, BertForPreTraining
from bertwright.tasks.task import Objective


@dataclass(frozen=True, slots=True)
class MaskTargets:
    """What is to be found in a part of a step.

    Attributes:
        places: `[M]` int64 rows of the ragged batch that are masked.
        labels: `[M]` int64 the ids that stood there.
        order: `[B]` int64 the class of each pair; empty without pairs.
        share: of each masked token in the mean of the step: 1 / masked tokens of the step.
    """

    places: Tensor
    labels: Tensor
    order: Tensor
    share: float

    def to(self, device: torch.device, /) -> MaskTargets:
        """The same on `device`."""
        places, labels, order = (one.to(device, non_blocking=True) for one in (self.places, self.labels, self.order))
        return MaskTargets(places, labels, order, self.share)


@dataclass(frozen=True)
class PreTraining(Objective):
    """Find the masked tokens and, where there are pairs, tell whether the second text is the right one.

    Source: Devlin et al. 2019, section 3.1; Lan et al. 2019, section 3.1, for sentence order.

    Attributes:
        pairs: `mlm+nsp`, `mlm+sop` or `mlm`.
        vocab_size: V, for the loss of a model that knows nothing.
    """

    pairs: Pairs
    vocab_size: int

    name: ClassVar[str] = "pretraining"
    metric: ClassVar[str] = "mlm_loss"
    higher_is_better: ClassVar[bool] = False

    @property
    def model_class(self) -> type[BertWithHead]:
        return BertForMaskedLM if self.pairs == "mlm" else BertForPreTraining

    @property
    def pair_name(self) -> str:
        """`nsp` or `sop`; empty without pairs."""
        return self.pairs.partition("+")[2]

    def loss_at_start(self) -> float:
        """ln V, and ln 2 for the pairs."""
        return math.log(self.vocab_size) + (math.log(2) if self.pair_name else 0.0)

    def loss(self, model: BertWithHead, batch: Ragged, targets: Any, weights: Tensor) -> dict[str, Tensor]:
        """Cross-entropy over V at the masked tokens plus that over the two classes of a pair.

        The head runs over the masked rows `[M, H]` only.
        """
        assert isinstance(model, BertForMaskedLM)
        assert isinstance(targets, MaskTargets)
        encoding = model.bert.encode(batch)
        shares = torch.full_like(targets.labels, targets.share, dtype=torch.float32)
        mlm, found = model.predict_loss(encoding.last[targets.places], targets.labels, shares)
        if not isinstance(model, BertForPreTraining):
            return {"loss": mlm, "mlm_accuracy": found}
        order = model.follows(encoding, batch).float()  # [B, 2]
        pair = (F.cross_entropy(order, targets.order, reduction="none") * weights).sum()
        right = ((order.detach().argmax(-1) == targets.order) * weights).sum()
        name = self.pair_name
        return {
            "loss": mlm + pair,
            "mlm_loss": mlm.detach(),
            "mlm_accuracy": found,
            f"{name}_loss": pair.detach(),
            f"{name}_accuracy": right,
        }


def collate(examples: Sequence[PretrainExample], share: float) -> tuple[Ragged, MaskTargets]:
    """Examples laid end to end, and what is to be found in them; `share` is that of `MaskTargets`."""
    lengths = [len(one) for one in examples]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    batch = Ragged.of(
        torch.from_numpy(np.concatenate([one.input_ids for one in examples]).astype(np.int64)),
        torch.from_numpy(np.concatenate([one.token_type_ids for one in examples]).astype(np.int64)),
        torch.from_numpy(np.concatenate([np.arange(length) for length in lengths])),
        lengths,
    )
    places = np.concatenate([one.masked_positions + start for one, start in zip(examples, starts)])
    labels = np.concatenate([one.labels for one in examples])
    order = [one.next_sentence_label for one in examples if one.next_sentence_label >= 0]
    targets = MaskTargets(
        torch.from_numpy(places.astype(np.int64)),
        torch.from_numpy(labels.astype(np.int64)),
        torch.tensor(order, dtype=torch.int64),
        share,
    )
    return batch, targets
