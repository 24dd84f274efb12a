"""Arguments in the order in which they were meant, and models that can be judged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bertwright.checkpoint.hub import BUILT_IN, spelt
from bertwright.errors import BertwrightError
from bertwright.inference.predictor import Predictor
from bertwright.tasks.registry import FILL_MASK
from bertwright.tasks.task import Task

_OF_A_MODEL = ("run.json", "config.json")


def require_order(verb: str, models: tuple[str | os.PathLike[str], ...], data: Any) -> None:
    """Refuse data in the place of a model, where a model stands in the place of the data.

    Raises:
        BertwrightError: BW144 with the command in the right order.
    """
    if not isinstance(data, (str, os.PathLike)) or not _is_model(spelt(data)):
        return
    for at, one in enumerate(models):
        if Path(spelt(one)).is_file():
            words = [spelt(other) for other in models]
            words[at] = spelt(data)
            command = f"bertwright {verb} " + " ".join([*words, spelt(one)])
            raise BertwrightError("BW144", data=spelt(one), model=spelt(data), command=command)


def _is_model(name: str) -> bool:
    return name in BUILT_IN or any((Path(name) / file).is_file() for file in _OF_A_MODEL)


def judged_task(predictor: Predictor[Any], run: str | os.PathLike[str]) -> Task[Any, Any]:
    """The task of a model, where it can be judged.

    Raises:
        BertwrightError: BW145 a model that was pre-trained only, BW523 another one that has no labels.
    """
    if predictor.task.name == FILL_MASK:
        raise BertwrightError("BW145", model=spelt(run))
    return predictor.task.as_task()
