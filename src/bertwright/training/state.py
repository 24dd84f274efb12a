"""What a run must know, besides the weights, to go on as if it had never stopped.

Arrays (the optimizer's moments, the course of the loss) are a safetensors file, everything else is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bertwright.errors import BertwrightError

SCHEMA_VERSION = 1
_STATE, _ARRAYS = "state.json", "optimizer.safetensors"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimizer, as it is remembered: its number, loss, learning rate and gradient norm."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float


@dataclass
class TrainingState:
    """Where a run stands.

    Attributes:
        micro_tokens: tokens computed at once.
        step: steps done.
        tokens: real tokens trained on.
        seconds: time in steps; the only number here that the clock decides.
        skipped, bad_in_a_row: steps not taken because a loss or a gradient was not finite.
        without_better: evaluations since the best one.
        told_collapse: whether it was said that the model gives one answer to everything.
        stopped: why the run ended before its last step; empty if it did not.
        best: epoch, step, train_loss and scores of the best evaluation; None before the first.
        losses: of the steps since the last evaluation.
        rows: of `metrics.csv`.
        history: every step.
    """

    micro_tokens: int
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    skipped: int = 0
    bad_in_a_row: int = 0
    without_better: int = 0
    told_collapse: bool = False
    stopped: str = ""
    best: dict[str, Any] | None = None
    losses: list[float] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    history: list[Step] = field(default_factory=list)


def write_state(folder: Path, state: TrainingState, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Write `folder/state.json` and `folder/optimizer.safetensors`."""
    folder.mkdir(exist_ok=True)
    arrays, numbers = _optimizer_state(model, optimizer)
    for name in ("loss", "learning_rate", "gradient_norm"):
        course = [getattr(one, name) for one in state.history]
        arrays[f"history.{name}"] = torch.tensor(course, dtype=torch.float64)
    save_file(arrays, folder / _ARRAYS)
    values = {name: value for name, value in asdict(state).items() if name != "history"}
    text = json.dumps({"schema_version": SCHEMA_VERSION, "optimizer": numbers, **values}, indent=2)
    (folder / _STATE).write_text(text + "\n", encoding="utf-8")


def read_state(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainingState:
    """Read both files; the optimizer gets its moments back.

    Raises:
        BertwrightError: BW507 for a state that cannot be understood, BW332 for one of a newer version.
    """
    file = folder / _STATE
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = int(values.pop("schema_version"))
        if version > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
        arrays = {name: tensor.clone() for name, tensor in load_file(folder / _ARRAYS).items()}  # aligned, see `load`
        columns = [arrays.pop(f"history.{name}").tolist() for name in ("loss", "learning_rate", "gradient_norm")]
        history = [Step(number, *one) for number, one in enumerate(zip(*columns), start=1)]
        _restore_optimizer(model, optimizer, arrays, values.pop("optimizer"))
        return TrainingState(**values, history=history)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise BertwrightError("BW507", file=file, reason=f"{type(error).__name__} {error}") from error


def _optimizer_state(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], dict[str, dict[str, Any]]]:
    """What the optimizer remembers of each parameter, by the parameter's name: tensors, and other values."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    tensors: dict[str, Tensor] = {}
    others: dict[str, dict[str, Any]] = {}
    for parameter, values in optimizer.state.items():
        name = names[id(parameter)]
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{name}/{key}"] = value.detach().contiguous()
            else:
                others.setdefault(name, {})[key] = value
    return tensors, others


def _restore_optimizer(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], others: Mapping[str, Any]
) -> None:
    """Give an optimizer with the same groups what another one remembered."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    states: dict[str, dict[str, Any]] = {name: dict(values) for name, values in others.items()}
    for full, tensor in tensors.items():
        name, _, key = full.rpartition("/")
        states.setdefault(name, {})[key] = tensor
    packed = optimizer.state_dict()
    for group, numbered in zip(optimizer.param_groups, packed["param_groups"]):
        for parameter, number in zip(group["params"], numbered["params"]):
            if (state := states.get(names[id(parameter)])) is not None:
                packed["state"][number] = state
    optimizer.load_state_dict(packed)
