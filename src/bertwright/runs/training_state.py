"""What a run must know, besides the weights, to go on as if it had never stopped.

Arrays (the optimizer's moments, the course of the loss) are a safetensors file, everything else is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

import torch
from pydantic import BaseModel, ConfigDict, TypeAdapter
from safetensors.torch import load_file
from torch import Tensor, nn

from bertwright.checkpoint.former_names import name_of_today
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import write_text
from bertwright.checkpoint.weights import write_named
from bertwright.errors import BertwrightError

SCHEMA_VERSION = 2
_STATE, _ARRAYS = "state.json", "optimizer.safetensors"
_HISTORY = "history."
_COLUMNS = ("loss", "learning_rate", "gradient_norm")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimizer, as it is remembered.

    Attributes:
        step: its number, counted from 1.
        measures: what the objective tells beside the loss.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    measures: Mapping[str, float] = field(default_factory=dict)


class _Best(BaseModel):
    """Of the best evaluation, as it is remembered."""

    model_config = ConfigDict(strict=True, extra="forbid")

    epoch: int
    step: int
    train: dict[str, float]
    scores: dict[str, float]


@dataclass
class TrainingState:
    """Where a run stands.

    Attributes:
        micro_tokens: tokens computed at once.
        step: steps done.
        tokens: real tokens trained on.
        seconds, total_seconds: time in steps, and time of the loop up to the last save, those of sessions before an
            interruption included; the only numbers here that the clock decides.
        skipped, bad_in_a_row: steps not taken because a loss or a gradient was not finite.
        without_better: evaluations since the best one.
        told_collapse: whether it was said that the model gives one answer to everything.
        stopped: why the run ended before its last step; empty if it did not.
        best: epoch, step, train and scores of the best evaluation; None before the first.
        recent: loss and measures of the steps since the last evaluation.
        rows: of `metrics.csv`.
        history: every step.
    """

    micro_tokens: int
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    total_seconds: float = 0.0
    skipped: int = 0
    bad_in_a_row: int = 0
    without_better: int = 0
    told_collapse: bool = False
    stopped: str = ""
    best: dict[str, Any] | None = None
    recent: dict[str, list[float]] = field(default_factory=dict)
    rows: list[dict[str, float]] = field(default_factory=list)
    history: list[Step] = field(default_factory=list)


def write_state(
    folder: Path, state: TrainingState, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    """Write `folder/state.json` and `folder/optimizer.safetensors`.

    Raises:
        BertwrightError: BW501 where the disk or the permissions do not allow it.
    """
    folder.mkdir(exist_ok=True)
    arrays, numbers = _optimizer_state(model, optimizers)
    course = {name: [getattr(one, name) for one in state.history] for name in _COLUMNS}
    for name in state.history[0].measures if state.history else ():
        course[f"measures.{name}"] = [one.measures[name] for one in state.history]
    for name, values in course.items():
        arrays[f"{_HISTORY}{name}"] = torch.tensor(values, dtype=torch.float64)
    write_named(arrays, folder / _ARRAYS)
    told = {one.name: getattr(state, one.name) for one in fields(state) if one.name != "history"}
    text = json.dumps({"schema_version": SCHEMA_VERSION, "optimizer": numbers, **told}, indent=2)
    write_text(folder / _STATE, text + "\n")


def read_state(folder: Path, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> TrainingState:
    """Read both files; the optimizers get their moments back.

    Raises:
        BertwrightError: BW507 for a state that cannot be understood, BW332 for one of a newer version.
    """
    file = folder / _STATE
    try:
        values: dict[str, Any] = read_json_file(file, with_nan=True)
        version = int(values.pop("schema_version"))
        if version > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
        arrays = {name: tensor.clone() for name, tensor in load_file(folder / _ARRAYS).items()}  # aligned, see `load`
        columns = {
            name.removeprefix(_HISTORY): arrays.pop(name).tolist() for name in list(arrays) if name.startswith(_HISTORY)
        }
        numbers = values.pop("optimizer")
        if version == 1:
            arrays, numbers = (_renamed(one, model) for one in (arrays, numbers))
        _restore_optimizer(model, optimizers, arrays, numbers)
        state = TrainingState(**values, history=_history(columns))
        _check(state)
        return state
    except BertwrightError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise BertwrightError("BW507", file=file, reason=f"{type(error).__name__} {error}") from error


def _check(state: TrainingState) -> None:
    """Raise ValueError for a value of another kind than this program writes: the loop would meet it much later."""
    for name, kind in get_type_hints(TrainingState).items():
        if name != "history":  # which was made here
            TypeAdapter(kind).validate_python(getattr(state, name), strict=True)
    least = dict.fromkeys(("step", "tokens", "skipped", "bad_in_a_row", "without_better"), 0) | {"micro_tokens": 1}
    for name, limit in least.items():
        if getattr(state, name) < limit:
            raise ValueError(f"{name} = {getattr(state, name)}")
    if state.best is not None:
        _Best.model_validate(state.best)


def _history(columns: Mapping[str, list[float]]) -> list[Step]:
    measures = {name.partition(".")[2]: values for name, values in columns.items() if name not in _COLUMNS}
    return [
        Step(number, loss, rate, norm, {name: values[number - 1] for name, values in measures.items()})
        for number, (loss, rate, norm) in enumerate(zip(*(columns[name] for name in _COLUMNS)), start=1)
    ]


def _renamed(values: Mapping[str, Any], model: nn.Module) -> dict[str, Any]:
    """What a version with other names remembered of each parameter, and of each `parameter/value`."""
    of_two_parts = any(name.startswith("decoder.bert.") for name, _ in model.named_parameters())
    return {name_of_today(name, of_two_parts): value for name, value in values.items()}


def _optimizer_state(
    model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
) -> tuple[dict[str, Tensor], dict[str, dict[str, Any]]]:
    """What the optimizer remembers of each parameter, by the parameter's name: tensors, and other values."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    tensors: dict[str, Tensor] = {}
    others: dict[str, dict[str, Any]] = {}
    remembered = [entry for optimizer in optimizers for entry in optimizer.state.items()]
    for parameter, values in remembered:
        name = names[id(parameter)]
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{name}/{key}"] = value.detach().contiguous()
            else:
                others.setdefault(name, {})[key] = value
    return tensors, others


def _restore_optimizer(
    model: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    tensors: Mapping[str, Tensor],
    others: Mapping[str, Any],
) -> None:
    """Give optimizers with the same groups what others remembered."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    states: dict[str, dict[str, Any]] = {name: dict(values) for name, values in others.items()}
    for full, tensor in tensors.items():
        name, _, key = full.rpartition("/")
        states.setdefault(name, {})[key] = tensor
    for optimizer in optimizers:
        packed = optimizer.state_dict()
        for group, numbered in zip(optimizer.param_groups, packed["param_groups"]):
            for parameter, number in zip(group["params"], numbered["params"]):
                if (state := states.get(names[id(parameter)])) is not None:
                    packed["state"][number] = state
        optimizer.load_state_dict(packed)
