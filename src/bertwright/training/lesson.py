"""A model and what it is to learn, as one module: the loss of every training is its `forward`.

What spreads a training over processes (`DistributedDataParallel`, FSDP2) does its work around the `forward` of a
module, and so can be put around a lesson from outside.
"""

from __future__ import annotations

from torch import Tensor, nn

from bertwright.data.ragged import Ragged
from bertwright.data.targets import TargetBatch
from bertwright.machine.precision import autocast
from bertwright.model.models import BertWithHead
from bertwright.tasks.task import Objective


class Lesson(nn.Module):
    """Its parameters are those of the model, under `model.`; what is saved is the model alone, under its own names.

    Attributes:
        model: what learns.
        objective: what it learns.
        precision: `fp32` or `bf16`, in which matrix products are computed.
    """

    def __init__(self, model: BertWithHead, objective: Objective, precision: str) -> None:
        super().__init__()
        self.model, self.objective, self.precision = model, objective, precision

    def forward(self, batch: Ragged, targets: TargetBatch, weights: Tensor) -> dict[str, Tensor]:
        """`Objective.loss` on the device of the model: loss and measures of a part of a step.

        Args:
            weights: `[B]` of the inputs.
        """
        device = self.model.device
        with autocast(self.precision, device):
            return self.objective.loss(self.model, batch.to(device), targets.to(device), weights.to(device))
