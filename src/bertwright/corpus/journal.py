"""What a preparation has done so far, on the disk, so that it goes on after any stop as if there had been none."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertwright.checkpoint.folders import MANIFEST, delete
from bertwright.checkpoint.json_files import read_json_file
from bertwright.checkpoint.replacing import write_text
from bertwright.corpus.store import KIND, VOCABULARY, WORK
from bertwright.errors import BertwrightError
from bertwright.wording import Phrase, shown

STATE = "state.json"
_SECONDS_BETWEEN = 1.0


class Journal:
    """The state of one job in its working folder, `STORE/.work`.

    Attributes:
        folder: the working folder.
        state: what is done; JSON values.
        finished: the store was there already, made by the same job.
    """

    def __init__(self, store: Path, job: str, *, resume: bool, overwrite: bool) -> None:
        """Begin, or go on.

        Args:
            store: the folder of the store.
            job: a digest of everything that decides what the store will hold.
            resume: go on where a preparation of the same job was stopped.
            overwrite: begin anew where a store, or an unfinished one, is.

        Raises:
            BertwrightError: BW503 it is a file; BW551 a store or an unfinished one is there; BW552 it cannot be
                written; BW554 the unfinished one is of another job; BW504 the folder is none of a store; BW586 it
                holds more than one.
        """
        self.folder = store / WORK
        self.state: dict[str, Any] = {"job": job, "stage": "scan", "parts": 0}
        self.finished = False
        self._saved = 0.0
        if store.exists() and not store.is_dir():
            raise BertwrightError("BW503", folder=store)
        is_store = (store / MANIFEST).is_file()
        if is_store or self.folder.is_dir():
            self._take_over(store, job, is_store=is_store, resume=resume, overwrite=overwrite)
        elif store.is_dir() and any(store.iterdir()):
            raise BertwrightError("BW504", folder=store)
        if self.finished:
            shutil.rmtree(self.folder, ignore_errors=True)  # it was stopped just before it cleared that away
        else:
            self.folder.mkdir(parents=True, exist_ok=True)

    def _take_over(self, store: Path, job: str, *, is_store: bool, resume: bool, overwrite: bool) -> None:
        """Go on with what lies there, or delete it."""
        if overwrite:
            _clear(store)
            return
        if not resume:
            raise BertwrightError("BW551", folder=store, what=Phrase("finished") if is_store else Phrase("unfinished"))
        file = store / MANIFEST if is_store else self.folder / STATE
        if not file.is_file():
            return  # stopped before anything was done
        try:
            known = read_json_file(file)
            same = known["job"] == job
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BertwrightError("BW288", file=file, reason=error) from error
        if not same:
            raise BertwrightError("BW554", folder=store)
        if is_store:
            self.finished = True
        else:
            self.state = known

    def is_due(self) -> bool:
        """Whether the state should be saved again."""
        return time.monotonic() - self._saved > _SECONDS_BETWEEN

    def save(self, **changes: Any) -> None:
        """Write the state; whatever it speaks of must have reached the disk."""
        self.state |= changes
        write_text(self.folder / STATE, json.dumps(self.state))
        self._saved = time.monotonic()

    def discard(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)


class Column:
    """A file to which numbers are appended; what was not flushed before a stop is cut away."""

    def __init__(self, path: Path, dtype: str, count: int) -> None:
        self.path = path
        self._dtype = np.dtype(dtype)
        if not path.exists():
            path.touch()
        os.truncate(path, count * self._dtype.itemsize)
        self.count = count

    def append(self, values: NDArray[Any]) -> None:
        """Append `values`."""
        with self.path.open("ab") as file:
            file.write(values.astype(self._dtype).tobytes())
        self.count += len(values)

    def flush(self) -> int:
        """Wait until the disk has everything; how many numbers there are."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        return self.count


def _clear(store: Path) -> None:
    """Take away a store, finished or not, but never anything that no preparation wrote."""
    manifest = store / MANIFEST
    ours = {WORK, MANIFEST, VOCABULARY}
    if manifest.is_file():
        try:
            content = read_json_file(manifest)
            if content.get("kind") != KIND:
                raise BertwrightError("BW504", folder=store)
            ours |= set(content["files"])
        except BertwrightError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BertwrightError("BW504", folder=store) from error
    else:
        ours |= {
            file.name for kind in ("tokens", "sentences", "documents", "words") for file in store.glob(f"{kind}-*.bin")
        }
    if others := sorted({path.name for path in store.iterdir()} - ours):
        raise BertwrightError("BW586", folder=store, files=shown(others, 4))
    manifest.unlink(missing_ok=True)
    for path in store.iterdir():  # not the folder itself, which this process holds
        delete(path)
