"""What a run saves as it goes: `last/` with all that it takes to go on, `metrics.csv`, and `best/`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from bertwright.model.models import BertWithHead
from bertwright.tasks.prediction import Prediction
from bertwright.text.tokenizer.tokenizer import BertTokenizer
from bertwright.runs.run_folder import TRAINING, RunFolder
from bertwright.runs.training_state import TrainingState, write_state


class FolderKeeper:
    """Saves into a run folder."""

    def __init__(
        self,
        folder: RunFolder,
        model: BertWithHead,
        tokenizer: BertTokenizer,
        describe: Callable[[Path, Sequence[Prediction] | None], None],
    ) -> None:
        """`describe(staging, predictions)` writes `task.json`; predictions come with an evaluation."""
        self._folder, self._model, self._tokenizer, self._describe = folder, model, tokenizer, describe

    def save(
        self,
        state: TrainingState,
        optimizers: Sequence[torch.optim.Optimizer],
        predictions: Sequence[Prediction] | None,
    ) -> None:
        """`last/` first, whole; `best/` is a copy of it."""
        with self._folder.saving_last() as staging:
            self._model.save_pretrained(staging)
            self._tokenizer.save_pretrained(staging)
            self._describe(staging, predictions)
            write_state(staging / TRAINING, state, self._model, optimizers)
        self.repair(state, self._folder.path / "last")

    def repair(self, state: TrainingState, checkpoint: Path) -> None:
        """Write what follows from a saved state; an interruption may have come in between."""
        self._folder.write_metrics(state.rows)
        if state.best is not None and state.best["step"] == state.step:
            self._folder.keep_as_best(checkpoint)
