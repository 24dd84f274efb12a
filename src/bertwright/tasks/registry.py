"""The tasks by name. Nothing heavy is imported before a task is asked for, so that `--help` can list them."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bertwright.errors import BertwrightError
from bertwright.plugins import Registry

if TYPE_CHECKING:
    from bertwright.tasks.task import Answers, Task

log = logging.getLogger("bertwright")

FILL_MASK = "fill-mask"  # answers, and is trained by `pretrain`
_TASKS = Registry(
    "bertwright.tasks",
    {
        "classification": "bertwright.tasks.classification:Classification",
        "tagging": "bertwright.tasks.entities.tagging:Tagging",
        "spans": "bertwright.tasks.entities.span_pointing:SpanPointing",
        "seq2seq": "bertwright.tasks.seq2seq:Seq2Seq",
        "regression": "bertwright.tasks.regression:Regression",
    },
    unknown=("BW123", "task"),
)
task_names = _TASKS.names


@functools.cache
def task_named(name: str) -> type[Task[Any, Any]]:
    """The task of a name.

    Raises:
        BertwrightError: BW123 no task has that name, BW133 a package that cannot be imported.
    """
    kind: type[Task[Any, Any]] = _TASKS.load(name)
    return kind


def answers_named(name: str) -> type[Answers[Any]]:
    """What answers under a name; raises as `task_named`."""
    if name != FILL_MASK:
        return task_named(name)
    from bertwright.tasks.fill_mask import FillMask

    return FillMask


@functools.cache
def all_tasks() -> tuple[type[Task[Any, Any]], ...]:
    """Every task that can be trained; what a package brings that cannot be imported is passed over with a warning."""
    tasks = []
    for name in task_names():
        try:
            tasks.append(task_named(name))
        except BertwrightError as error:
            log.warning("%s", error.texts()[0])
    return tuple(tasks)


def foreign_to(kind: type[Task[Any, Any]]) -> Iterator[str]:
    """The names of settings that belong to other tasks only."""
    own = set(_owned(kind))
    return (name for other in all_tasks() for name in _owned(other) if name not in own)


def _owned(kind: type[Task[Any, Any]]) -> tuple[str, ...]:
    return (*kind.settings_class.model_fields, *kind.other_settings)


def task_for(source: Any, name: str | None, encoding: str | None = None) -> type[Task[Any, Any]]:
    """The task called `name`, or the one that the form of the data asks for; raises as `task_named`."""
    if name is not None:
        return task_named(name)
    return max(all_tasks(), key=lambda kind: kind.recognises(source, encoding))
