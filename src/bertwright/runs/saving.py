"""What a run saves as it goes: `last/` with all that it takes to go on, `metrics.csv`, and `best/`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from bertwright.model.models import BertWithHead
from bertwright.runs.run_folder import TRAINING, RunFolder
from bertwright.runs.training_state import TrainingState, read_state, write_state
from bertwright.tasks.prediction import Prediction
from bertwright.text.tokenizer.tokenizer import BertTokenizer


class Saver:
    """Saves into a run folder, and goes on from what lies there.

    Attributes:
        folder: the run folder.
    """

    def __init__(
        self,
        folder: RunFolder,
        model: BertWithHead,
        tokenizer: BertTokenizer,
        describe: Callable[[Path, Sequence[Prediction] | None], None],
        checkpoint: Path | None = None,
    ) -> None:
        """`describe(staging, predictions)` writes `task.json`; predictions come with an evaluation.

        Args:
            checkpoint: the saved model, whose weights `model` has, that a run goes on from; None: one that begins.
        """
        self.folder, self._model, self._tokenizer = folder, model, tokenizer
        self._describe, self._checkpoint = describe, checkpoint

    def restored(self, optimizers: Sequence[torch.optim.Optimizer]) -> TrainingState | None:
        """Where the run stood, which the optimizers are brought to, too; None for a run that begins.

        What an interruption has kept from being written after a save is written now.

        Raises:
            BertwrightError: BW507 for a state that cannot be understood.
        """
        if self._checkpoint is None:
            return None
        state = read_state(self._checkpoint / TRAINING, self._model, optimizers)
        self._write_what_follows(state, self._checkpoint)
        return state

    def save(
        self,
        state: TrainingState,
        optimizers: Sequence[torch.optim.Optimizer],
        predictions: Sequence[Prediction] | None,
    ) -> None:
        """Save the model as it is, and all that it takes to go on from there: `last/` first, whole.

        `predictions` of the dev set come with an evaluation; where `state.best` is of this very step, it is the
        best so far.
        """
        if not self.folder.is_writer:
            return
        with self.folder.saving_last() as staging:
            self._model.save_pretrained(staging)
            self._tokenizer.save_pretrained(staging)
            self._describe(staging, predictions)
            write_state(staging / TRAINING, state, self._model, optimizers)
        self._write_what_follows(state, self.folder.path / "last")

    def _write_what_follows(self, state: TrainingState, saved: Path) -> None:
        """`metrics.csv`, and `best/` as a copy of what was saved."""
        self.folder.write_metrics(state.rows)
        if state.best is not None and state.best["step"] == state.step:
            self.folder.keep_as_best(saved)
