"""The folder of a run: `best/` and `last/` are model folders, `run.json` and `metrics.csv` tell how it went."""

from __future__ import annotations

import csv
import errno
import io
import logging
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from bertwright.checkpoint.folders import MANIFEST, delete, generations, prune, publishing, verify
from bertwright.checkpoint.json_files import json_text, read_json_file
from bertwright.checkpoint.replacing import require_path, staging_of, write_text
from bertwright.errors import BertwrightError
from bertwright.runs.belongings import strangers
from bertwright.version import __version__
from bertwright.wording import Phrase, said, shown

log = logging.getLogger("bertwright")

SCHEMA_VERSION = 1
TRAINING = "training"  # in `last/`: what it takes to go on from there


def _require_room(path: Path) -> None:
    above = next(one for one in path.absolute().parents if one.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        error = errno.EACCES if above.is_dir() else errno.ENOTDIR
        raise BertwrightError("BW501", folder=path, reason=os.strerror(error))


def run_facts(task: str, model: str, device: torch.device) -> dict[str, Any]:
    """What `run.json` of every run begins with: the task, the model to start from, the machine and the versions."""
    return {
        "bertwright_version": __version__,
        "torch_version": torch.__version__,
        "python_version": platform.python_version(),
        "task": task,
        "model": model,
        "device": str(device),
        "threads": torch.get_num_threads(),
    }


class RunFolder:
    """A folder that one run writes to.

    Attributes:
        path: the folder.
        record: `run.json` of the run that is resumed; None for a new one.
        is_writer: whether anything is written; of the processes of a run one writes, and the others look on.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool = False,
        resume: bool = False,
        reads: Sequence[Path] = (),
        is_writer: bool = True,
    ) -> None:
        """Make the folder, or open that of an earlier run. Who does not write opens what the writer has made.

        Args:
            overwrite: delete an earlier run.
            resume: go on with an earlier run; where there is none, begin.
            reads: what the run is made from, and must not be deleted.

        Raises:
            BertwrightError: BW502 it is not empty, BW501 it cannot be made, BW503 it is no folder, BW504 it is not
                that of a run, BW586 something lies in it that the run did not write, BW509 it holds what the run reads,
                BW560 the earlier run cannot be deleted, BW332 a newer program wrote it, BW507 `run.json` cannot be
                understood.
        """
        self.path, self.is_writer = path, is_writer
        self.record: dict[str, Any] | None = None
        if is_writer:
            self._make(overwrite, resume, reads)
        elif resume and (path / "run.json").exists():
            self.record = _read_run(path / "run.json")

    def _make(self, overwrite: bool, resume: bool, reads: Sequence[Path]) -> None:
        path = self.path
        self.require_place(path, overwrite=overwrite, resume=resume)
        if path.is_dir():  # what a run left behind that was killed before it had begun
            staging_of(path / "run.json").unlink(missing_ok=True)
        if path.is_dir() and any(path.iterdir()):
            self._take_over(resume, reads)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BertwrightError("BW501", folder=path, reason=error.strerror or error) from error

    @staticmethod
    def require_place(path: Path, *, overwrite: bool = False, resume: bool = False) -> None:
        """Refuse a place where `RunFolder` could not be made or opened, before any work; nothing is written.

        Raises:
            BertwrightError: BW501 to BW504 and BW586 as `RunFolder`, BW644 a NUL in the path.
        """
        require_path(path)
        if not path.exists():
            _require_room(path)
        if path.exists() and not path.is_dir():
            raise BertwrightError("BW503", folder=path)
        if path.is_dir() and any(one.name != staging_of(path / "run.json").name for one in path.iterdir()):
            if not overwrite and not resume:
                raise BertwrightError("BW502", folder=path)
            if not _is_run(path):  # never delete what no run has written
                raise BertwrightError("BW504", folder=path)
            if overwrite and not resume and (others := strangers(path)):
                raise BertwrightError("BW586", folder=path, files=shown(others, 4))

    def _take_over(self, resume: bool, reads: Sequence[Path]) -> None:
        """Go on with the run that lies there, or delete it."""
        if resume:
            self.record = _read_run(self.path / "run.json")
            return
        for one in reads:
            if one.resolve().is_relative_to(self.path.resolve()):
                raise BertwrightError("BW509", folder=self.path, file=one)
        _empty(self.path)

    def write_run(self, values: Mapping[str, Any]) -> None:
        """Write `run.json`."""
        self._write("run.json", _json({"schema_version": SCHEMA_VERSION, **values}))

    def write_metrics(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write `metrics.csv`, one row an evaluation."""
        if not rows:
            return
        table = io.StringIO()
        writer = csv.DictWriter(table, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        self._write("metrics.csv", table.getvalue())

    def write_bad_batch(self, values: Mapping[str, Any]) -> Path:
        """Write `bad_batch.json`, what a step read that came to no number; the file."""
        self._write("bad_batch.json", _json(values))
        return self.path / "bad_batch.json"

    def _write(self, name: str, text: str) -> None:
        if self.is_writer:
            write_text(self.path / name, text)

    def saving_last(self) -> AbstractContextManager[Path]:
        """A staging folder that becomes `last/`; the one before it is kept until the next."""
        return publishing(self.path / "last", keep_previous=True)

    def keep_as_best(self, source: Path) -> None:
        """Write `best/` as a copy of the model in another folder, whole or not at all."""
        if not self.is_writer:
            return
        with publishing(self.path / "best") as staging:
            shutil.copytree(source, staging, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST, TRAINING))

    def checkpoint(self) -> Path | None:
        """The newest whole `last/`; what is damaged (BW324) is passed over with a sentence; None where there is none.

        Raises:
            BertwrightError: BW562 there is none, and the run is finished: it is not trained again.
        """
        found = generations(self.path / "last")
        for folder in found:
            try:
                if not (folder / MANIFEST).is_file():
                    raise BertwrightError("BW324", file=folder / MANIFEST, reason=Phrase("missing"))
                verify(folder)
                return folder
            except BertwrightError as error:
                if error.code != "BW324":
                    raise
                file, reason = error.fields["file"], error.fields["reason"]
                log.warning(
                    said(
                        "{folder} is damaged ({file}: {reason}) and passed over",
                        folder=folder,
                        file=file,
                        reason=reason,
                    )
                )
        if self.record is not None and self.record["finished"]:
            raise BertwrightError("BW562", folder=self.path)
        if found:
            log.warning(said("{folder}: no whole checkpoint is left; the run begins again", folder=self.path))
        return None

    def finish(self) -> None:
        """Remove what only an unfinished run needs; `run.json` says that it is finished after that."""
        if self.is_writer:
            prune(self.path / "last")


def _json(values: Mapping[str, Any]) -> str:
    return json_text(values, indent=2) + "\n"


def _empty(folder: Path) -> None:
    """Delete what lies in a run folder, but not the folder, which may be a link, or the one that a person stands in.

    Checkpoints go first, so that nobody goes on from a half of them, and `run.json`, which says that a run may be
    deleted here, goes last.

    Raises:
        BertwrightError: BW560 where the permissions do not allow it.
    """
    order = {"last": 0, ".last.previous": 0, "run.json": 2}
    try:
        for path in sorted(folder.iterdir(), key=lambda path: order.get(path.name, 1)):
            delete(path)
    except OSError as error:
        raise BertwrightError("BW560", folder=folder, reason=error.strerror or error) from error


def _is_run(folder: Path) -> bool:
    """Whether a run wrote the folder: by its `run.json`, or where that is damaged by what else a run leaves."""
    try:
        record = read_json_file(folder / "run.json", with_nan=True)
    except OSError:
        return False
    except ValueError:
        return any((folder / name).exists() for name in ("best", "last", ".last.previous", "metrics.csv"))
    return isinstance(record, dict) and "schema_version" in record


def _read_run(file: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = read_json_file(file, with_nan=True)
        version = int(values.pop("schema_version"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BertwrightError("BW507", file=file, reason=f"{type(error).__name__} {error}") from error
    if version > SCHEMA_VERSION:
        raise BertwrightError("BW332", file=file, version=version, known=SCHEMA_VERSION)
    parts: dict[str, type] = {"seeds": list} if "seeds" in values else {"requested": dict, "settings": dict}
    for name, kind in ({"finished": bool} | parts).items():
        if not isinstance(values.get(name), kind):
            raise BertwrightError("BW507", file=file, reason=f"{name}: {values.get(name)!r}")
    return values
