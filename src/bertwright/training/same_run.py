"""Whether a command is the one that began a run: only then can it go on with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertwright.errors import BertwrightError

log = logging.getLogger("bertwright")

_MAY_CHANGE = ("save_steps", "save_minutes")  # they change no weight
_MUST_AGREE = ("task", "model", "train_sha256", "dev_sha256")
_NUMBERS_DEPEND_ON = ("device", "threads", "torch_version")


def check_same_run(folder: Path, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare `run.json` with what it would be for this command.

    Raises:
        BertwrightError: BW506 for another task, model, data or setting.
    """
    wished, before = now["requested"], recorded.get("requested", {})
    pairs = [(name, recorded.get(name), now[name]) for name in _MUST_AGREE if name in now]
    pairs += [(name, before.get(name), wished[name]) for name in wished if name not in _MAY_CHANGE]
    for name, was, value in pairs:
        if was != value:
            raise BertwrightError("BW506", folder=folder, name=name, was=was, now=value)
    for name in _NUMBERS_DEPEND_ON:
        if recorded.get(name) != now[name]:
            log.warning(
                "%s was %s and is %s: the run goes on, but not with the numbers of an uninterrupted one",
                name, recorded.get(name), now[name],
            )  # fmt: skip


def kept_settings(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they were resolved when the run began; those that may change are of this command."""
    return {**recorded["settings"], **{name: now["requested"][name] for name in _MAY_CHANGE}}
