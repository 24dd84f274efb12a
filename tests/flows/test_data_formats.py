"""Training from the formats that people have."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bertwright import finetune

Rows = list[tuple[str, str]]


def pairs_in_json_lines(folder: Path, rows: Rows) -> Path:
    lines = [json.dumps({"premise": text, "hypothesis": text[::-1], "gold_label": label}) for text, label in rows]
    (folder / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder / "a.jsonl.gz"


def tsv_without_header(folder: Path, rows: Rows) -> Path:
    (folder / "a.tsv").write_text("".join(f"{label}\t{text}\n" for text, label in rows), encoding="utf-8")
    return folder / "a.tsv"


def class_folders(folder: Path, rows: Rows) -> Path:
    for number, (text, label) in enumerate(rows):
        (folder / "data" / label).mkdir(parents=True, exist_ok=True)
        (folder / "data" / label / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder / "data"


@pytest.mark.parametrize("write", [pairs_in_json_lines, tsv_without_header, class_folders])
def test_a_model_is_trained(
    write: Callable[[Path, Rows], Path], sentences: Rows, tiny_model: Path, tmp_path: Path
) -> None:
    run = finetune(write(tmp_path, sentences[:40]), model=tiny_model, out=tmp_path / "run", epochs=1)
    assert run.task.to_json()["labels"] == ["negative", "positive"]
    assert len(run.dev) in range(2, 20)
