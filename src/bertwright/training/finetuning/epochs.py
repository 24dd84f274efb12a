"""How many epochs few rows take, and whether a run should have had more."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from bertwright.training.loop_settings import FinetuneSettings
from bertwright.wording import said

log = logging.getLogger("bertwright")

# Of 300 rows three epochs are 27 steps, too few for many classes; beyond a hundred or two nothing is gained, and with
# hundreds something is lost (`benchmarks/few_rows.py`).
LEAST_STEPS = 100
MOST_EPOCHS = 15
_RISE = 0.005  # of the metric, in the last epoch


def with_enough_epochs(given: FinetuneSettings, decided: FinetuneSettings, rows: int) -> FinetuneSettings:
    """The settings with more epochs where the usual ones would be too few steps and nobody has said how many."""
    if given.model_fields_set & {"epochs", "max_steps"}:
        return decided
    a_pass = max(math.ceil(rows / decided.batch_size), 1)
    epochs = min(math.ceil(LEAST_STEPS / a_pass), MOST_EPOCHS)
    if epochs <= decided.epochs:
        return decided
    log.info(
        said(
            "{rows} rows are {n} steps a pass: {epochs} epochs (epochs=3 for fewer)", rows=rows, n=a_pass, epochs=epochs
        )
    )
    return decided.model_copy(update={"epochs": epochs})


def say_if_rising(
    rows: Sequence[Mapping[str, float]], metric: str, best_step: int, settings: Mapping[str, Any]
) -> None:
    """A remark where the last evaluation was the best one, and clearly better than the one before.

    `rows` are those of `metrics.csv`, `settings` those of `run.json`.
    """
    scores = [row.get(f"dev_{metric}", math.nan) for row in rows]
    if len(scores) < 2 or rows[-1]["step"] != best_step or not abs(scores[-1] - scores[-2]) > _RISE:
        return
    more = [f"epochs={2 * settings['epochs']}"]
    if settings["max_steps"] is not None:  # it ended the run before the epochs did, or soon would
        more.append(f"max_steps={2 * settings['max_steps']}")
    log.info(
        said(
            "the dev score was still getting better in the end ({name} {before:.4f}, then {last:.4f}): try {settings}",
            name=metric, before=scores[-2], last=scores[-1], settings=" ".join(more),
        )
    )  # fmt: skip
