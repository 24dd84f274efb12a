"""The folder of a run: `best/` and `last/` are model folders, `run.json` and `metrics.csv` tell how it went."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

from bertwright.checkpoint.store import MANIFEST, publishing, write_text
from bertwright.data.windows import Reading
from bertwright.errors import BertwrightError
from bertwright.model.models import BertWithHead
from bertwright.tasks.registry import write_task
from bertwright.tasks.task import Task
from bertwright.text.tokenizer import BertTokenizer

SCHEMA_VERSION = 1


class RunFolder:
    """A folder that one run writes to.

    Attributes:
        path: the folder.
        rows: the metrics so far, one row an evaluation.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        """Make the folder.

        Raises:
            BertwrightError: BW502 it is not empty, BW501 it cannot be made, BW503 it is no folder.
        """
        self.path = path
        self.rows: list[dict[str, float]] = []
        if path.exists() and not path.is_dir():
            raise BertwrightError("BW503", folder=path)
        if path.is_dir() and any(path.iterdir()):
            if not overwrite:
                raise BertwrightError("BW502", folder=path)
            if not (path / "run.json").is_file():  # never delete what no run has written
                raise BertwrightError("BW504", folder=path)
            shutil.rmtree(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BertwrightError("BW501", folder=path, reason=error.strerror or error) from error

    def write_run(self, values: dict[str, Any]) -> None:
        """Write `run.json`."""
        text = json.dumps({"schema_version": SCHEMA_VERSION, **values}, indent=2, ensure_ascii=False) + "\n"
        write_text(self.path / "run.json", text)

    def add_metrics(self, row: dict[str, float]) -> None:
        """Add a row to `metrics.csv`."""
        self.rows.append(row)
        table = io.StringIO()
        writer = csv.DictWriter(table, fieldnames=list(self.rows[0]))
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path / "metrics.csv", table.getvalue())

    def save_model(
        self, name: str, model: BertWithHead, tokenizer: BertTokenizer, task: Task, reading: Reading
    ) -> None:
        """Write the model folder `best` or `last`, whole or not at all."""
        with publishing(self.path / name) as staging:
            model.save_pretrained(staging)
            tokenizer.save_pretrained(staging)
            write_task(staging, task, reading)

    def copy_model(self, source: Path) -> None:
        """Write `best` as a copy of another model folder, whole or not at all."""
        with publishing(self.path / "best") as staging:
            shutil.copytree(source, staging, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
