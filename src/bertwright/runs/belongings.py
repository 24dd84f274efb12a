"""What a run wrote into its folder, and what others laid there, which it never deletes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from bertwright.checkpoint.folders import MANIFEST, unlisted
from bertwright.checkpoint.hub import TEXT_FILES

# Files of every run, and the plots of runs that did not record what their report consists of.
_FILES = frozenset(
    (
        *("run.json", "metrics.csv", "bad_batch.json", "README.md", "predictions.jsonl", "errors.csv"),
        *("loss.png", "confusion.png", "reliability.png", "scatter.png", "types.png"),
    )
)
_MODELS = ("best", "last")
# Files of a model folder whose manifest is gone or damaged: it was saved over, or its deletion was stopped.
_OF_A_MODEL = frozenset((*TEXT_FILES, "model.safetensors", "task.json", MANIFEST))
_OF_A_TRAINING = frozenset(("training/state.json", "training/optimizer.safetensors"))
_STAGING_FILE = re.compile(r"\.(.+)\.tmp")
_STAGING_FOLDER = re.compile(rf"\.({'|'.join(_MODELS)})\.(\d+\.tmp|previous)")
_SEED = re.compile(r"seed-\d+")


def strangers(folder: Path) -> list[str]:
    """The files and folders in the folder of a run that neither its kind nor its manifests nor its `run.json` name."""
    return sorted(_strangers(folder, _FILES | _recorded(folder)))


def _recorded(folder: Path) -> frozenset[str]:
    """The files of the report, as `run.json` names them."""
    try:
        named = json.loads((folder / "run.json").read_text(encoding="utf-8"))["report_files"]
        return frozenset(name for name in named if isinstance(name, str))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()


def _strangers(folder: Path, files: frozenset[str]) -> Iterator[str]:
    for path in folder.iterdir():
        name = path.name
        staged = _STAGING_FILE.fullmatch(name)
        if path.is_symlink() or not path.is_dir():
            if name not in files and not (staged and staged[1] in files):
                yield name
        elif name in _MODELS or _STAGING_FOLDER.fullmatch(name):
            yield from (f"{name}/{one}" for one in unlisted(path) if not _is_of_a_model(one))
        elif _SEED.fullmatch(name):
            yield from (f"{name}/{one}" for one in strangers(path))
        else:
            yield f"{name}/"


def _is_of_a_model(name: str) -> bool:
    *parents, last = name.split("/")
    staged = _STAGING_FILE.fullmatch(last)
    name = "/".join([*parents, staged[1] if staged else last])
    return name in _OF_A_MODEL or name in _OF_A_TRAINING
