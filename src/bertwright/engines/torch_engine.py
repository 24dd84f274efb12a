"""The engine that runs our own modules in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from bertwright.data.ragged import Ragged
from bertwright.engines.engine import Engine
from bertwright.errors import BertwrightError
from bertwright.machine.device import usable_device
from bertwright.machine.precision import PRECISION_OF_ANSWERS, autocast
from bertwright.model.models import BertWithHead
from bertwright.tasks.task import Answers, Outputs


class TorchEngine(Engine):
    """A module in its `eval` mode, which whoever goes on training it sets back."""

    name: ClassVar[str] = "torch"

    def __init__(self, model: BertWithHead, task: Answers[Any], precision: str = PRECISION_OF_ANSWERS) -> None:
        """`precision` is `fp32` or `bf16`."""
        self._model, self._task, self._precision = model.eval(), task, precision

    @classmethod
    def load(cls, folder: Path, task: Answers[Any], device: str) -> Self:
        """The weights of a folder in fp32.

        Raises:
            BertwrightError: BW130 no such device, BW324 a damaged file, BW326 the head was never trained.
        """
        place = usable_device(device)
        model = task.model_class.load(folder)
        if model.load_report is not None and model.load_report.fresh:
            raise BertwrightError("BW326", folder=folder, heads=", ".join(model.load_report.fresh))
        return cls(model.to(place), task)

    def run(self, batch: Ragged) -> Outputs:
        with torch.inference_mode(), autocast(self._precision, self._model.device):
            return self._task.outputs(self._model, batch.to(self._model.device))

    def for_task(self, task: Answers[Any]) -> TorchEngine:
        return TorchEngine(self._model, task, self._precision)

    def weights(self) -> Mapping[str, Tensor]:
        return self._model.state_dict()

    @property
    def model(self) -> BertWithHead:
        return self._model
