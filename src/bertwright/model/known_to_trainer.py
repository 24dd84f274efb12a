"""What the `Trainer` of `transformers` asks of a model.

It writes `config.json` for models of its own library only, and for others weights alone, which nobody could open again.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar

_TRAINER = "transformers.trainer"


class KnownToTrainer:
    """A model that the Trainer saves whole, by the model's own `save_pretrained`."""

    main_input_name: ClassVar[str] = "input_ids"
    is_parallelizable: ClassVar[bool] = False

    @property
    def accepts_loss_kwargs(self) -> bool:
        """False: a loss is the mean over a batch, and the Trainer divides it where it accumulates gradients.

        The Trainer asks for this first, and learns with it that our models save themselves.
        """
        trainer: Any = sys.modules.get(_TRAINER)
        theirs = getattr(trainer, "PreTrainedModel", None)
        if theirs is not None and not isinstance(theirs, _SavesItself):
            trainer.PreTrainedModel = _SavesItself(theirs)
        return False


class _SavesItself:
    """Stands for the class `theirs` in the questions of the Trainer; models of ours are of it, too."""

    def __init__(self, theirs: type) -> None:
        self.theirs = theirs

    def __instancecheck__(self, model: object) -> bool:
        return isinstance(model, (self.theirs, KnownToTrainer))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.theirs, name)
