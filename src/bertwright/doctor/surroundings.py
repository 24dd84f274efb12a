"""Folders that are written to, and the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bertwright.checkpoint.hub_cache import cache_folder
from bertwright.doctor.probe import Finding, gib, noted
from bertwright.wording import language, said

_LITTLE = 3 << 30  # a run of a base model: best/, last/ and the optimizer's state are about 1.8 GB


def folders() -> Iterator[Finding]:
    """Where `finetune` writes by default, and where the hub's library keeps what it downloads."""
    yield _space("runs", Path("runs"), "--out DIR")
    yield _space(said("model cache"), cache_folder(), "HF_HOME=DIR")


def _space(name: str, folder: Path, elsewhere: str) -> Finding:
    """The free space of the disk that `folder` is on or will be made on, and whether we may write there."""
    folder = folder.absolute()
    there = next(place for place in (folder, *folder.parents) if place.exists() or place == place.parent)
    free = shutil.disk_usage(there).free
    writable = os.access(there, os.W_OK)
    value = said("{free} free for {folder}", free=gib(free), folder=folder)
    if not writable:
        value = said("{value}, which cannot be written to", value=value)
    hint = "" if writable and free >= _LITTLE else said("give another place: {option}", option=elsewhere)
    return noted(name, value, hint)


def messages() -> Iterator[Finding]:
    """The language of errors, and whether what is printed may hold Chinese."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "中文".encode(encoding)
        hint = ""
    except (UnicodeEncodeError, LookupError):
        hint = said("it cannot print Chinese: set PYTHONIOENCODING=utf-8")
    told = {"en": "English, printed in {encoding}", "zh": "Chinese, printed in {encoding}"}[language()]
    yield noted(said("messages"), said(told, encoding=encoding), hint)
