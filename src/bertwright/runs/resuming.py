"""Whether a command is the one that began a run: only then can it go on with it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, said, shown
from bertwright.settings import Settings

S = TypeVar("S", bound=Settings)

log = logging.getLogger("bertwright")

_MAY_CHANGE = ("save_steps", "save_minutes")  # they change no weight
_MUST_AGREE = ("task", "model")
_DECIDED = ("learning_rate", "precision", "micro_tokens")
_NUMBERS_DEPEND_ON = ("device", "threads", "torch_version")


def check_same_run(folder: Path, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare `run.json` with what it would be for this command.

    Raises:
        BertwrightError: BW506 for another task, model, data or setting.
    """
    wished, before = now["requested"], recorded.get("requested", {})
    pairs = [(name, recorded.get(name), now[name]) for name in _MUST_AGREE if name in now]
    pairs += [(name, before.get(name), wished[name]) for name in wished if name not in _MAY_CHANGE]
    _check_same_data(folder, recorded, now)
    for name, was, value in pairs:
        if was != value:
            raise BertwrightError("BW506", folder=folder, name=name, was=was, now=value)
    for name in _NUMBERS_DEPEND_ON:
        if recorded.get(name) != now[name]:
            log.warning(
                said(
                    "{name} was {was} and is {now}: the run goes on, but not with the numbers of an uninterrupted one",
                    name=name, was=recorded.get(name), now=now[name],
                )
            )  # fmt: skip


def _check_same_data(folder: Path, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """BW506 for other texts or answers, in words: which file, how many rows, when it was written."""
    whole = [one.get("data_sha256") for one in (recorded, now)]  # without what was held out for the dev set
    is_same = None in whole or whole[0] == whole[1]
    sets = (("train", Phrase("the training data")), ("dev", Phrase("the dev set")))
    changed = [(one, name) for one, name in sets if recorded.get(f"{one}_sha256") != now.get(f"{one}_sha256")]
    if not changed:
        return
    # Where the data as a whole are what they were, it is the dev set that was given or left out.
    part, name = changed[-1] if is_same else changed[0]
    was, value = (_described(one, part) for one in (recorded, now))
    if str(was) == str(value):
        value = Phrase("{described}, with other texts or answers", described=value)
        file = Path(str(now.get(f"{part}_source", "")))
        if file.is_file():
            written = datetime.fromtimestamp(file.stat().st_mtime).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006  (here)
            value = Phrase("{described}; the file was last written {date}", described=value, date=written)
    raise BertwrightError("BW506", folder=folder, name=name, was=was, now=value)


def _described(record: Mapping[str, Any], part: str) -> Phrase | str:
    source, count = record.get(f"{part}_source"), record.get(f"{part}_examples", 0)
    if source is None:  # of a pre-training
        return str(record.get("store", "-"))
    if part == "dev" and source == record.get("train_source"):
        return Phrase("held out from the training data (without --dev)")
    return Phrase("{source} ({n} examples)", source=source, n=count)


def check_same_kind(folder: Path, recorded: Mapping[str, Any], seeds: Sequence[int]) -> None:
    """A run of one seed and runs of several lie in a folder in different ways: neither goes on with the other.

    Raises:
        BertwrightError: BW506 the folder holds the other one.
    """
    before = recorded.get("seeds", [])
    if bool(before) != bool(seeds):
        was, now = (shown(some) or "-" for some in (before, seeds))
        raise BertwrightError("BW506", folder=folder, name="--seeds", was=was, now=now)


def kept_settings(
    kind: type[S],
    folder: Path,
    recorded: Mapping[str, Any],
    now: Mapping[str, Any],
    decided: Sequence[str] = (),
    foreign: Collection[str] = (),
) -> S:
    """The settings as they were resolved when the run began; those that may change are of this command.

    Args:
        decided: what stands there with a value, beside that of every run, whatever the command said.
        foreign: settings of other tasks, which earlier versions wrote for every run.

    Raises:
        BertwrightError: BW507 a setting is missing, unknown or not possible.
    """
    values = {name: recorded["settings"][name] for name in recorded["settings"].keys() - foreign}
    values |= {name: now["requested"][name] for name in _MAY_CHANGE}
    bad = [name for name in kind.model_fields if name not in values]
    bad += [name for name in (*_DECIDED, *decided) if values.get(name) in (None, "auto")]
    if bad:
        reason = f"settings.{bad[0]}: {values.get(bad[0])!r}"
        raise BertwrightError("BW507", file=folder / "run.json", reason=reason)
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"settings.{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise BertwrightError("BW507", file=folder / "run.json", reason=reason) from error
