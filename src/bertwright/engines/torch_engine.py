"""The engine that runs our own modules in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from bertwright.data.ragged import Ragged
from bertwright.engines.bf16_encoder import in_bf16
from bertwright.engines.engine import Engine
from bertwright.errors import BertwrightError
from bertwright.machine.device import usable_device
from bertwright.model.models import BertWithHead
from bertwright.tasks.task import Answers, Outputs


class TorchEngine(Engine):
    """A module in its `eval` mode, which whoever goes on training it sets back."""

    name: ClassVar[str] = "torch"
    precisions: ClassVar[tuple[str, ...]] = ("fp32", "bf16")

    def __init__(self, model: BertWithHead, task: Answers[Any], precision: str = "fp32") -> None:
        """`precision` is `fp32` or `bf16`; weights that are not fp32 are computed with as they are."""
        self._model, self._task, self.precision = model.eval(), task, precision
        self._lent = True  # somebody else has the module, and may change its weights
        self._computing = model

    @classmethod
    def load(cls, folder: Path, task: Answers[Any], device: str, precision: str) -> Self:
        """The weights of a folder.

        Raises:
            BertwrightError: BW130 no such device, BW324 a damaged file, BW326 the head was never trained.
        """
        place = usable_device(device)
        model = task.model_class.load(folder)
        if model.load_report is not None and model.load_report.fresh:
            raise BertwrightError("BW326", folder=folder, heads=", ".join(model.load_report.fresh))
        return cls(model.to(place), task, precision).sole()

    def sole(self) -> Self:
        """For whoever gives the module to nobody else: it is prepared now, and not again before it is asked for."""
        self._computing, self._lent = self._as_now(), False
        return self

    def ready(self) -> TorchEngine:
        """Where the module was lent, weights may have changed in ways that leave no trace: they are taken anew."""
        if self._lent:
            self._computing = self._as_now()
        return self

    def _as_now(self) -> BertWithHead:
        in_fp32 = self._model.dtype == torch.float32
        return in_bf16(self._model) if self.precision == "bf16" and in_fp32 else self._model

    def run(self, batch: Ragged) -> Outputs:
        model = self._computing
        with torch.inference_mode():
            return self._task.outputs(model, batch.to(model.device))

    def for_task(self, task: Answers[Any]) -> TorchEngine:
        engine = type(self)(self._model, task, self.precision)
        engine._computing, engine._lent = self._computing, self._lent
        return engine

    def weights(self) -> Mapping[str, Tensor]:
        return self._model.state_dict()

    @property
    def model(self) -> BertWithHead:
        self._lent = True
        return self._model
