"""Folders that are written to, and the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bertwright.checkpoint.hub import cache_folder
from bertwright.doctor.probe import Finding, gib, noted
from bertwright.wording import language

_LITTLE = 3 << 30  # a run of a base model: best/, last/ and the optimizer's state are about 1.8 GB


def folders() -> Iterator[Finding]:
    """Where `finetune` writes by default, and where the hub's library keeps what it downloads."""
    yield _space("runs", Path("runs"), "--out DIR")
    yield _space("model cache", cache_folder(), "HF_HOME=DIR")


def _space(name: str, folder: Path, elsewhere: str) -> Finding:
    """The free space of the disk that `folder` is on or will be made on, and whether we may write there."""
    folder = folder.absolute()
    there = next(place for place in (folder, *folder.parents) if place.exists() or place == place.parent)
    free = shutil.disk_usage(there).free
    writable = os.access(there, os.W_OK)
    value = f"{gib(free)} free for {folder}" + ("" if writable else ", which cannot be written to")
    return noted(name, value, "" if writable and free >= _LITTLE else f"give another place: {elsewhere}")


def messages() -> Iterator[Finding]:
    """The language of errors, and whether what is printed may hold Chinese."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "中文".encode(encoding)
        hint = ""
    except (UnicodeEncodeError, LookupError):
        hint = "it cannot print Chinese: set PYTHONIOENCODING=utf-8"
    yield noted("messages", f"{ {'en': 'English', 'zh': 'Chinese'}[language()] }, printed in {encoding}", hint)
