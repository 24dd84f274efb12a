"""The settings of fine-tuning with those that tasks add, and which of them mean nothing to a task."""

from __future__ import annotations

import functools
from typing import Any

from pydantic import create_model

from bertwright.errors import BertwrightError
from bertwright.settings import Settings
from bertwright.tasks.registry import all_tasks
from bertwright.tasks.registry import foreign_to as foreign_to
from bertwright.tasks.task import Task
from bertwright.training.loop_settings import FinetuneSettings

Kind = type[Task[Any, Any]]


@functools.cache
def settings_with(*kinds: Kind) -> type[FinetuneSettings]:
    """`FinetuneSettings` and the fields that tasks add to them."""
    added: dict[str, Any] = {
        name: (field.annotation, field) for kind in kinds for name, field in kind.settings_class.model_fields.items()
    }
    return create_model("FinetuneSettings", __base__=FinetuneSettings, **added)


def every_setting() -> type[FinetuneSettings]:
    """With the fields of all tasks: what may be typed before anybody knows which task it is for."""
    return settings_with(*all_tasks())


def settings_for(kind: Kind, given: Settings) -> FinetuneSettings:
    """The settings of one task, from settings that may hold those of all.

    Raises:
        BertwrightError: BW124 one was given that means nothing to the task.
    """
    values = given.model_dump(exclude_unset=True)
    foreign = set(foreign_to(kind))
    for name, value in values.items():
        if name in foreign:
            raise BertwrightError("BW124", name=name, value=value, task=kind.name)
    if values.get("class_weight", "none") != "none" and not kind.weighs_classes:
        raise BertwrightError("BW124", name="class_weight", value=values["class_weight"], task=kind.name)
    if values.get("long") == "window" and kind.of_windows is None:
        raise BertwrightError("BW124", name="long", value=values["long"], task=kind.name)
    return settings_with(kind)(**values)


def own_settings(kind: Kind, settings: FinetuneSettings) -> Settings:
    """What a task itself reads of the settings of a run."""
    return kind.settings_class(**{name: getattr(settings, name) for name in kind.settings_class.model_fields})
