"""Whether labelled data are those that a run was trained on or chosen by: its scores on them say little."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertwright.checkpoint.hub import model_folder
from bertwright.checkpoint.json_files import read_json_file
from bertwright.data.examples import digest_of
from bertwright.data.reading.tables import Table
from bertwright.wording import Phrase, said

log = logging.getLogger("bertwright")

_SETS = {"train_sha256": "train", "data_sha256": "train", "dev_sha256": "dev"}
_WORDS = {
    "train": Phrase("these are the texts that {run} was trained on: scores on others will be lower"),
    "dev": Phrase(
        "these are the dev set of {run}, by which its best epoch, its temperature and thresholds were chosen: "
        "scores on others will be lower"
    ),
}


def set_of(run: str | os.PathLike[str], table: Table) -> str | None:
    """`train` or `dev` where the examples of the table are that set of the run, rows and labels and order; else None.

    A folder that is no run, such as a model that was exported, does not say what it was trained on.
    """
    record = _record(model_folder(run))
    known = {record[key]: name for key, name in _SETS.items() if isinstance(record.get(key), str)}
    return known.get(digest_of(table.examples)) if known else None


def say_seen(seen: Mapping[str, str | None]) -> None:
    """A warning for each kind of data that were seen; `seen`: what `set_of` says of runs, by their names."""
    for kind, words in _WORDS.items():
        if runs := [run for run, found in seen.items() if found == kind]:
            log.warning(said(words.text, run=said(" and ").join(runs)))


def _record(folder: Path) -> dict[str, Any]:
    """What is known of the run that a folder is, or is the `best/` of; empty where it is none."""
    for place in (folder, folder.parent) if folder.name in ("best", "last") else (folder,):
        file = place / "run.json"
        if not file.is_file():
            continue
        try:
            record = read_json_file(file, with_nan=True)
        except (OSError, ValueError):
            return {}
        if not isinstance(record, dict):
            return {}
        seed = record.get("best_seed")
        return _record(place / f"seed-{seed}") if type(seed) is int else record
    return {}
