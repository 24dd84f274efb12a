"""A budget in passes, steps, tokens or minutes, turned into a number of steps before the first one.

The number is recorded and kept, so that a run that is resumed takes the same steps however fast the machine is then.
"""

from __future__ import annotations

import logging
import statistics
import time

import torch

from bertwright.training.lesson import Lesson
from bertwright.training.pretraining.pretrain_settings import PretrainSettings
from bertwright.training.steps import Steps
from bertwright.training.world import World
from bertwright.wording import said

log = logging.getLogger("bertwright")

_STEPS_COUNTED = 20
_STEPS_TIMED = 6
_OPTIMIZER_SHARE = 1.15  # a whole step beside its forward and backward pass


def planned_steps(settings: PretrainSettings, steps: Steps, lesson: Lesson, world: World) -> int:
    """The smallest of the budgets that are given, in steps; one pass where none is. All processes get the same."""
    given: list[float] = []
    if "epochs" in settings.model_fields_set:
        given.append(settings.epochs * steps.steps_per_epoch)
    if settings.max_steps is not None:
        given.append(settings.max_steps)
    if settings.max_tokens is not None:
        given.append(settings.max_tokens / tokens_a_step(steps))
    if settings.max_minutes is not None:
        seconds = seconds_a_step(settings, steps, lesson, world)
        given.append(60 * settings.max_minutes / seconds)
        minutes, steps_ = settings.max_minutes, int(given[-1])
        log.info(
            said(
                "a step takes about {s:.2f} s: {minutes:g} minutes are about {n} steps",
                s=seconds,
                minutes=minutes,
                n=steps_,
            )
        )
    if not given:
        given.append(settings.epochs * steps.steps_per_epoch)
    return world.least(max(int(min(given)), 1))


def tokens_a_step(steps: Steps) -> float:
    """Mean real tokens over the first steps."""
    first = range(min(_STEPS_COUNTED, steps.steps_per_epoch))
    counts = [sum(part.batch.num_tokens for part in steps.parts(step, 1 << 30)) for step in first]
    return statistics.mean(counts)


def seconds_a_step(settings: PretrainSettings, steps: Steps, lesson: Lesson, world: World) -> float:
    """Median over a few steps that are computed and thrown away."""
    assert settings.micro_tokens is not None
    times = []
    for step in range(_STEPS_TIMED):
        started = time.perf_counter()
        for part in world.share(steps.parts(step, settings.micro_tokens)):
            loss = lesson(part.batch, part.targets, part.weights)["loss"]
            loss.backward()
            loss.item()
        lesson.zero_grad()
        times.append(time.perf_counter() - started)
    if lesson.model.device.type == "cuda":
        torch.cuda.empty_cache()
    return statistics.median(times[1:]) * _OPTIMIZER_SHARE
