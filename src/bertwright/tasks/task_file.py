"""The file `task.json`, which makes a model folder a program: which task, and how texts are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import write_text
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError
from bertwright.settings import first_problem
from bertwright.tasks.registry import FILL_MASK, answers_named, task_names
from bertwright.tasks.task import Answers
from bertwright.tasks.task_values import TaskHeader
from bertwright.version import __version__
from bertwright.wording import Phrase, shown

SCHEMA_VERSION = 1
TASK_FILE = "task.json"
# Each of them takes the weights of the other, and answers something else with them.
_LOOK_ALIKE = {"BertCrfForTokenClassification", "BertForTokenClassification"}


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
            BW331 it cannot be understood, BW332 of a newer version, BW327 the config says something else, and those of
            the config.
    """
    file = folder / TASK_FILE
    if not file.is_file():
        from bertwright.tasks.fill_mask import plain_fill_mask  # heavy, and needed for few folders

        if (plain := plain_fill_mask(folder)) is not None:
            return plain
        raise BertwrightError("BW330", folder=folder)
    try:
        values = read_json_file(file)
        version = values.get("schema_version") if isinstance(values, dict) else None
        if type(version) is int and version > SCHEMA_VERSION:
            raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
        header = TaskHeader.model_validate(values)
        known = (*task_names(), FILL_MASK)
        if header.task not in known:
            raise BertwrightError("BW331", file=file, reason=f"task '{header.task}'; known: {shown(known)}")
        task, reading = answers_named(header.task).from_json(values), header.reading()
        if strange := sorted(values.keys() - TaskHeader.model_fields.keys() - task.to_json().keys()):
            raise ValueError(Phrase("nobody knows the key '{key}'", key=strange[0][:80]))  # a typing error, perhaps
    except BertwrightError:
        raise
    except ValidationError as error:
        key, value, reason = first_problem(error)
        told = Phrase("{key}: {reason} ({value})", key=key, value=repr(value)[:80], reason=reason)
        raise BertwrightError("BW331", file=file, reason=told) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW331", file=file, reason=error if error.args else type(error).__name__) from error
    _check_config(task, reading, file)
    return task, reading


def _check_config(task: Answers[Any], reading: Reading, file: Path) -> None:
    """Raise BW327 where the config of the model does not belong to what `task.json` says."""
    if not file.with_name("config.json").is_file():
        return  # another engine's; whoever loads it says what is missing
    config = task.model_class.config_class.from_pretrained(file.parent)
    if reading.max_length > config.max_position_embeddings:
        there, longest = f"max_length = {reading.max_length}", config.max_position_embeddings
        raise BertwrightError("BW327", file=file, said=there, config=f"max_position_embeddings = {longest}")
    built = task.model_class.architecture or task.model_class.__name__
    named = config.extra.get("architectures")
    if named != [built] and isinstance(named, list) and {built, *map(str, named)} <= _LOOK_ALIKE:
        theirs = f"architectures = {shown(named)}"
        raise BertwrightError("BW327", file=file, said=f"{task.name} ({built})", config=theirs)
    unnamed = [f"LABEL_{number}" for number in range(len(task.output_names))]
    if task.output_names and config.labels not in ([*task.output_names], unnamed):
        ours, theirs = shown(task.output_names), shown(config.labels)
        raise BertwrightError("BW327", file=file, said=ours, config=f"id2label = {theirs}")
