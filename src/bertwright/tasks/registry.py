"""The tasks by name, and the file `task.json` that makes a model folder a program."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bertwright.data.tagged.span_sources import looks_tagged
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError, nearest, shown
from bertwright.tasks.classification import Classification
from bertwright.tasks.entities.span_pointing import SpanPointing
from bertwright.tasks.entities.tagging import Tagging
from bertwright.tasks.fill_mask import FillMask
from bertwright.tasks.seq2seq import Seq2Seq
from bertwright.tasks.task import Answerer, Task
from bertwright.version import __version__

TRAINABLE: dict[str, type[Task]] = {task.name: task for task in (Classification, Tagging, SpanPointing, Seq2Seq)}
TASKS: dict[str, type[Answerer]] = {**TRAINABLE, FillMask.name: FillMask}
SCHEMA_VERSION = 1
TASK_FILE = "task.json"


def task_for(source: Any, name: str | None, encoding: str | None = None) -> type[Task]:
    """The task called `name`, or the one that the form of the data asks for: a path, an `OpenedSource`, or rows.

    Raises:
        BertwrightError: BW123 no task has that name.
    """
    if name is None:
        return Tagging if looks_tagged(source, encoding) else Classification
    if name not in TRAINABLE:
        close = nearest(name, TRAINABLE)
        nearby = f"({close}?)" if close else ""
        raise BertwrightError("BW123", task=name, known=shown(TRAINABLE), nearest=nearby)
    return TRAINABLE[name]


def write_task(folder: Path, task: Answerer, reading: Reading) -> None:
    """Write `task.json`: which task, its own answers, and how texts are read."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "bertwright_version": __version__,
        "task": task.name,
        **asdict(reading),
        **task.to_json(),
    }
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    (folder / TASK_FILE).write_text(text, encoding="utf-8")


def read_task(folder: Path) -> tuple[Answerer, Reading]:
    """The task of a model folder, and how its texts are read.

    Raises:
        BertwrightError: BW330 no `task.json`, BW331 it cannot be understood, BW332 of a newer version.
    """
    file = folder / TASK_FILE
    if not file.is_file():
        raise BertwrightError("BW330", folder=folder)
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = int(values["schema_version"])
        if version > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
        name = values["task"]
        if name not in TASKS:
            raise BertwrightError("BW331", file=file, reason=f"task '{name}'; known: {shown(TASKS)}")
        reading = Reading(int(values["max_length"]), values["long"], int(values["overlap"]))
        return TASKS[name].from_json(values), reading
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW331", file=file, reason=f"{type(error).__name__} {error}") from error
