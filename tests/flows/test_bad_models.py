"""Models that are damaged, dangerous or of another kind, through the commands: one message, and nothing is executed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from .conftest import Command, Result
from .test_mistakes import refused

Broken = Callable[[Callable[[Path], None]], Result]


@pytest.fixture
def broken(command: Command, tiny_model: Path, train_csv: Path, tmp_path: Path) -> Broken:
    """Train from a copy of the model to which something was done; no run folder may be left."""

    def call(damage: Callable[[Path], None]) -> Result:
        folder = shutil.copytree(tiny_model, tmp_path / "model")
        damage(folder)
        result = command("finetune", train_csv, "--model", folder, "--out", tmp_path / "run", "max_steps=1")
        assert not (tmp_path / "run" / "best").exists()
        return result

    return call


def set_in_config(**changes: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")

    return damage


def test_truncated_weights(broken: Broken) -> None:
    def damage(folder: Path) -> None:
        os.truncate(folder / "model.safetensors", (folder / "model.safetensors").stat().st_size // 2)

    refused(broken(damage), "BW320", "model.safetensors", "copy or download")


def test_a_bin_that_contains_code_is_not_run(broken: Broken, tmp_path: Path) -> None:
    victim = tmp_path / "victim"

    class Code:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (victim,)

    def damage(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        torch.save({"bert.pooler.dense.bias": torch.zeros(32), "extra": Code()}, folder / "pytorch_model.bin")

    refused(broken(damage), "BW321", "pytorch_model.bin", "nothing of it was executed")
    assert not victim.exists()


def test_a_config_that_names_code(broken: Broken) -> None:
    damage = set_in_config(auto_map={"AutoModel": "modeling.Evil"})
    refused(broken(damage), "BW312", "auto_map", "delete auto_map from config.json")


def test_another_architecture(broken: Broken) -> None:
    refused(broken(set_in_config(model_type="roberta")), "BW311", "'roberta'")


def test_a_config_of_another_size(broken: Broken) -> None:
    refused(broken(set_in_config(hidden_size=64)), "BW323", "config.json belongs to another checkpoint")


def test_no_vocabulary(broken: Broken) -> None:
    def damage(folder: Path) -> None:
        for name in ("vocab.txt", "tokenizer.json"):
            (folder / name).unlink()

    refused(broken(damage), "BW302", "vocab.txt")


def test_a_config_that_was_cut_off(broken: Broken) -> None:
    def damage(folder: Path) -> None:
        os.truncate(folder / "config.json", 40)

    refused(broken(damage), "BW415", "config.json")


@pytest.mark.parametrize("verb", ["predict", "evaluate", "compare"])
@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json", "task.json"])
def test_a_flipped_bit_in_any_file_of_ours(
    command: Command, run: Path, dev_csv: Path, tmp_path: Path, verb: str, name: str
) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    content = bytearray((copy / "best" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "best" / name).write_bytes(content)
    words: dict[str, list[str | Path]] = {"predict": ["text"], "evaluate": [dev_csv], "compare": [run, dev_csv]}
    refused(command(verb, copy, *words[verb]), "BW324", name, "copy the folder again")


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json"])
@pytest.mark.parametrize("verb", ["finetune", "pretrain", "vocab"])
def test_a_flipped_bit_in_a_model_to_start_from(
    command: Command, run: Path, train_csv: Path, tmp_path: Path, verb: str, name: str
) -> None:
    best = shutil.copytree(run / "best", tmp_path / "best")
    content = bytearray((best / name).read_bytes())
    content[len(content) // 2] ^= 1
    (best / name).write_bytes(content)
    (tmp_path / "words.txt").write_text("unheard\n", encoding="utf-8")
    words = {
        "finetune": [train_csv, "--model", best],
        "pretrain": [tmp_path / "store", "--init", best],
        "vocab": ["--extend", best, "--words", tmp_path / "words.txt"],
    }[verb]
    refused(command(verb, *words, "--out", tmp_path / "out"), "BW324", name, "copy the folder again")
    assert not (tmp_path / "out").exists()
