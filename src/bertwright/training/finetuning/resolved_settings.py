"""What the settings of fine-tuning come to for a model and a machine."""

from __future__ import annotations

import logging
from typing import Any

import torch

from bertwright.data.windows import Reading
from bertwright.machine.precision import resolve_precision
from bertwright.model.config import BertConfig
from bertwright.tasks.task import Task
from bertwright.training.loop_settings import FinetuneSettings, default_learning_rate
from bertwright.training.micro_tokens import choose_micro_tokens
from bertwright.training.world import World
from bertwright.wording import said

log = logging.getLogger("bertwright")


def decided_settings(
    settings: FinetuneSettings, task: Task[Any, Any], config: BertConfig, device: torch.device, world: World
) -> FinetuneSettings:
    """The settings with everything decided that was left to the model and the machines of this world."""
    given = settings.model_fields_set
    limit = min(settings.max_length, config.max_position_embeddings)
    # The default overlap is meant for 512 tokens; shorter inputs share as large a part of theirs.
    overlap = min(settings.overlap, limit // 4, max((limit - 3) // 2 - 1, 0))
    if limit < settings.max_length and "max_length" in given:
        wished = settings.max_length
        log.warning(said("max_length={n}: this model reads {limit} tokens at once, and no more", n=wished, limit=limit))
    return settings.model_copy(
        update={
            "max_length": limit,
            "long": "head" if settings.long == "window" and task.of_windows is None else settings.long,
            "overlap": settings.overlap if "overlap" in given else overlap,
            "learning_rate": settings.learning_rate or default_learning_rate(config.hidden_size),
            "precision": resolve_precision(settings.precision, device),
            "micro_tokens": settings.micro_tokens
            or world.least(
                choose_micro_tokens(config, device, max_length=limit, checkpointing=settings.gradient_checkpointing)
            ),
        }
    )


def reading_of(settings: FinetuneSettings) -> Reading:
    """How texts are read under these settings."""
    return Reading(settings.max_length, settings.long, settings.overlap)
