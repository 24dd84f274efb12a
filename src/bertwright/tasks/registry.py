"""The tasks by name. Nothing heavy is imported before a task is asked for, so that `--help` can list them."""

from __future__ import annotations

import functools
import logging
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from bertwright.errors import BertwrightError, nearest, shown
from bertwright.plugins import brought, load

log = logging.getLogger("bertwright")

if TYPE_CHECKING:
    from bertwright.tasks.task import Answers, Task

GROUP = "bertwright.tasks"  # of entry points: a package may bring tasks of its own
FILL_MASK = "fill-mask"  # answers, and is trained by `pretrain`
_TASKS = {
    "classification": "bertwright.tasks.classification:Classification",
    "tagging": "bertwright.tasks.entities.tagging:Tagging",
    "spans": "bertwright.tasks.entities.span_pointing:SpanPointing",
    "seq2seq": "bertwright.tasks.seq2seq:Seq2Seq",
    "regression": "bertwright.tasks.regression:Regression",
}
_ANSWERS = {FILL_MASK: "bertwright.tasks.fill_mask:FillMask"}


def task_names() -> tuple[str, ...]:
    """Of all tasks that can be trained: our own, then those that packages bring."""
    return (*_TASKS, *(name for name in brought(GROUP) if name not in _TASKS))


@functools.cache
def answers_named(name: str) -> type[Answers[Any]]:
    """What answers under a name; raises BW133 for a package that cannot be imported, KeyError for no such name."""
    ours = (_TASKS | _ANSWERS).get(name)
    kind: type[Answers[Any]] = load(brought(GROUP)[name]) if ours is None else EntryPoint(name, ours, GROUP).load()
    return kind


def task_named(name: str) -> type[Task[Any, Any]]:
    """The task of a name.

    Raises:
        BertwrightError: BW123 no task has that name, BW133 a package that cannot be imported.
    """
    known = task_names()
    if name not in known:
        close = nearest(name, known)
        nearby = f"({close}?)" if close else ""
        raise BertwrightError("BW123", task=name, known=shown(known), nearest=nearby)
    return answers_named(name)  # type: ignore[return-value]  # these are tasks


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


def task_for(source: Any, name: str | None, encoding: str | None = None) -> type[Task[Any, Any]]:
    """The task called `name`, or the one that the form of the data asks for; raises as `task_named`."""
    if name is not None:
        return task_named(name)
    return max(all_tasks(), key=lambda kind: kind.recognises(source, encoding))
