"""Disk space where runs and models go, and the models that the hub's local cache holds. No network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertwright.checkpoint.hub import cache_folder, model_folder
from bertwright.doctor.probe import Finding, Mark, reason, size
from bertwright.errors import BertwrightError

SECTION = "disk"
MODELS = "models"
_LITTLE = 3 << 30  # a run of a base model: best/, last/ and the optimizer's state are about 1.8 GB


def runs() -> Iterator[Finding]:
    """Where `finetune` writes by default."""
    yield _space("runs", Path("runs"), "give another place: --out DIR")


def cache() -> Iterator[Finding]:
    """Where the hub's library keeps what it downloads."""
    yield _space("model cache", cache_folder(), "give another place: HF_HOME=DIR")


def _space(name: str, folder: Path, hint: str) -> Finding:
    """The free space of the disk that `folder` is on or will be made on, and whether we may write there."""
    folder = folder.absolute()
    there = next(place for place in (folder, *folder.parents) if place.exists() or place == place.parent)
    free = shutil.disk_usage(there).free
    value = f"{size(free)} free for {folder}"
    if there != folder:
        value += " (not made yet)"
    if not os.access(there, os.W_OK):
        return Finding(SECTION, name, f"{value}, which cannot be written to", Mark.NOTE, hint)
    return Finding(SECTION, name, value, *((Mark.NOTE, hint) if free < _LITTLE else ()))


def models() -> Iterator[Finding]:
    """Every BERT of the cache: its name, its size, and whether it is whole."""
    folder = cache_folder()
    entries = sorted(folder.glob("models--*")) if folder.is_dir() else []
    count = 0
    for entry in entries:
        try:
            finding = _model(entry)
        except OSError as error:
            finding = Finding(MODELS, entry.name, f"cannot be read: {reason(error)}", Mark.NOTE)
        if finding is not None:
            count += 1
            yield finding
    if not count:
        others = f" ({len(entries)} models of other kinds)" if entries else ""
        yield Finding(
            MODELS, "cached", f"no BERT in {folder}{others}", Mark.NOTE, "--model takes any folder that holds a model"
        )


def _model(entry: Path) -> Finding | None:
    """One entry of the cache, `models--OWNER--NAME`; None where it is no BERT."""
    name = entry.name.removeprefix("models--").replace("--", "/")
    configs = sorted(entry.glob("snapshots/*/config.json"))
    kinds = {_config(file).get("model_type") for file in configs}
    if "bert" not in kinds:
        return None
    taken = size(_taken(entry))
    try:
        found = model_folder(name)
    except BertwrightError:
        value, hint = f"{taken}, not whole: a download stopped half-way", f"delete {entry} and download it again"
        return Finding(MODELS, name, value, Mark.NOTE, hint)
    if entry.parent.absolute() not in found.absolute().parents:
        hint = "rename that folder, or give the path of the cache's snapshot"
        return Finding(MODELS, name, f"{taken}, hidden by the folder {found.absolute()}", Mark.NOTE, hint)
    return Finding(MODELS, name, taken)


def _config(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _taken(entry: Path) -> int:
    """Bytes on the disk: snapshots are links to blobs, where the system has links."""
    files = (path for path in entry.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)
