"""Parts of a model that somebody calls one by one, with the tensors of the padded form and a mask.

Shapes: B sequences, S longest sequence, H hidden size.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from bertwright.data.ragged import Ragged, from_padded


def batch_of(hidden: Tensor, batch: Ragged | Tensor | None) -> Ragged:
    """The batch whose states `hidden [B, S, H]` are; a batch is taken as it is.

    Args:
        hidden: states of all places, pads too.
        batch: or the mask `[B, S]`, zero at pads; or what is added to scores, `[B, 1, 1, S]`, 0 at real tokens and
            a large negative number at pads (bool: True at real tokens); None: nothing is a pad.

    Raises:
        BertwrightError: BW420 for a mask of another shape.
    """
    if isinstance(batch, Ragged):
        return batch
    if batch is not None and batch.dim() == 4 and batch.shape[1:3] == (1, 1):
        batch = batch[:, 0, 0] > -1 if batch.is_floating_point() else batch[:, 0, 0]
    nothing = torch.zeros(hidden.shape[:2], dtype=torch.int64, device=hidden.device)
    packed, places = from_padded(nothing, batch)
    return replace(packed, places=places)
