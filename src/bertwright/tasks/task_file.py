"""The file `task.json`, which makes a model folder a program: which task, and how texts are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bertwright.checkpoint.replacing import write_text
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError
from bertwright.tasks.registry import FILL_MASK, answers_named, task_names
from bertwright.tasks.task import Answers
from bertwright.version import __version__
from bertwright.wording import shown

SCHEMA_VERSION = 1
TASK_FILE = "task.json"


def write_task(folder: Path, task: Answers[Any], reading: Reading) -> None:
    """Write `task.json`: which task, its own answers, and how texts are read."""
    values = {
        "schema_version": SCHEMA_VERSION,
        "bertwright_version": __version__,
        "task": task.name,
        **asdict(reading),
        **task.to_json(),
    }
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    write_text(folder / TASK_FILE, text)


def read_task(folder: Path) -> tuple[Answers[Any], Reading]:
    """The task of a model folder, and how its texts are read; a plain masked language model fills [MASK].

    Raises:
        BertwrightError: BW330 no `task.json` and no head of a masked language model, BW302, BW320, BW321 the weights,
            BW331 it cannot be understood, BW332 of a newer version.
    """
    file = folder / TASK_FILE
    if not file.is_file():
        from bertwright.tasks.fill_mask import plain_fill_mask  # heavy, and needed for few folders

        if (plain := plain_fill_mask(folder)) is not None:
            return plain
        raise BertwrightError("BW330", folder=folder)
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = int(values["schema_version"])
        if version > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
        name = values["task"]
        known = (*task_names(), FILL_MASK)
        if name not in known:
            raise BertwrightError("BW331", file=file, reason=f"task '{name}'; known: {shown(known)}")
        reading = Reading(int(values["max_length"]), values["long"], int(values["overlap"]))
        return answers_named(name).from_json(values), reading
    except BertwrightError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW331", file=file, reason=f"{type(error).__name__} {error}") from error
