"""Watchers: what goes wrong in a training run is noticed, said, and stopped where going on is useless."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bertwright.errors import BertwrightError
from bertwright.runs.run_folder import RunFolder
from bertwright.runs.training_state import TrainingState
from bertwright.training.world import World
from bertwright.wording import said

log = logging.getLogger("bertwright")

_MOST_BAD_STEPS = 3
_FEW = 10  # so few answers are the same by chance


class FiniteWatcher:
    """Skips steps whose loss or gradient is not finite, and stops the run after three in a row."""

    def __init__(self, folder: RunFolder, state: TrainingState, world: World) -> None:
        """`folder` takes the texts of such steps; `state` counts them."""
        self._folder, self._state, self._world = folder, state, world

    def accepts(
        self,
        step: int,
        loss: float,
        norm: float,
        rate: float,
        describe: Callable[[], list[dict[str, Any]]],
        find_culprit: Callable[[], str],
    ) -> bool:
        """Whether the step may be taken, in every process; if not, its texts are written to `bad_batch.json`. `rate`
        is the peak learning rate.

        Raises:
            BertwrightError: BW510 after three such steps in a row, naming the first bad tensor.
        """
        if self._world.agree_all(math.isfinite(loss) and math.isfinite(norm)):
            self._state.bad_in_a_row = 0
            return True
        self._state.skipped += 1
        self._state.bad_in_a_row += 1
        file = self._folder.write_bad_batch(
            {"step": step, "loss": str(loss), "gradient_norm": str(norm), "examples": describe()}
        )
        log.warning(
            said(
                "step {step}: loss {loss}, gradient norm {norm}; the step is skipped, its texts are in {file}",
                step=step,
                loss=loss,
                norm=norm,
                file=file,
            )
        )
        if self._state.bad_in_a_row >= _MOST_BAD_STEPS:
            raise BertwrightError(
                "BW510", step=step, count=_MOST_BAD_STEPS, culprit=find_culprit(), file=file, rate=rate, lower=rate / 10
            )
        return False


def first_bad_tensor(model: nn.Module, run: Callable[[], object]) -> str:
    """The first parameter, or the first output of a module while `run()` computes, that is not finite."""
    for name, parameter in model.named_parameters():
        if not bool(parameter.isfinite().all()):
            return f"parameter {name}"
    found: list[str] = []

    def watch(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and not bool(output.isfinite().all()):
                found.append(name)

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return f"output of {found[0]}" if found else "a gradient"


def check_first_loss(loss: float, expected: float | None) -> None:
    """Say so where the loss before training is far from that of a model that knows nothing."""
    if expected is None or not math.isfinite(loss):
        return
    if abs(loss - expected) > 0.3 * expected + 0.1:
        log.warning(
            said(
                "the loss at the start is {loss:.3f}; a head that knows nothing has {expected:.3f}. Likely causes: a "
                "checkpoint with broken or foreign weights, or a head that was trained with other labels",
                loss=loss,
                expected=expected,
            )
        )


def check_collapse(answer: str | None, count: int, learning_rate: float, causes: str) -> bool:
    """Say so where the model gave one `answer` to all `count` dev texts though the true ones differ.

    Args:
        causes: what else than the learning rate may be to blame in this task.
    """
    if answer is None or count < _FEW:
        return False
    log.warning(
        said(
            "the model answers '{answer}' to all {n} dev texts. Likely causes: a learning rate that is too high (now "
            "{rate:g}; try a third of it) or too low, {causes}",
            answer=answer,
            n=count,
            rate=learning_rate,
            causes=said(causes),
        )
    )
    return True
