"""The verb `export`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from bertwright import Predictor

from .conftest import Command
from .test_mistakes import refused


def test_a_run_becomes_a_plain_folder(command: Command, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain"
    assert command("export", run, "--out", out).code == 0
    before, after = (load_file(folder / "model.safetensors") for folder in (run / "best", out))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    transformers.AutoModelForSequenceClassification.from_pretrained(out)
    texts = ["This is a great movie!"]
    assert Predictor.load(out)(texts) == Predictor.load(run)(texts)
    refused(command("export", run, "--out", out), "BW572")
    assert command("export", run, "--out", out, "--overwrite").code == 0


def test_nothing_but_an_exported_model_is_replaced(
    command: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, copy, file = tmp_path / "out", shutil.copytree(run, tmp_path / "copy"), tmp_path / "file"
    assert command("export", run, "--out", out).code == 0
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    file.write_text("mine", encoding="utf-8")
    refused(command("export", run, "--out", out, "--overwrite"), "BW574", "(notes.txt)")
    refused(command("export", copy, "--out", copy, "--overwrite"), "BW574", "README.md, best/")
    refused(command("export", run, "--out", file, "--overwrite"), "BW503")
    assert (out / "notes.txt").read_text(encoding="utf-8") == file.read_text(encoding="utf-8") == "mine"
    assert (copy / "last").is_dir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    refused(command("export", run, "--out", ".", "--overwrite"), "BW501", "by its name")
    assert command("export", run, "--out", tmp_path / "empty", "--overwrite").code == 0


def test_half_precision_is_read_in_fp32(command: Command, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "half"
    assert command("export", run, "--out", out, "--half").code == 0
    assert {tensor.dtype for tensor in load_file(out / "model.safetensors").values()} == {torch.float16}
    assert json.loads((out / "config.json").read_text(encoding="utf-8"))["dtype"] == "float32"
    model = transformers.AutoModelForSequenceClassification.from_pretrained(out)
    assert model.dtype == torch.float32
    texts = ["This is a great movie!", "这家餐厅的味道很好。"]
    for one, two in zip(Predictor.load(out)(texts), Predictor.load(run)(texts)):
        assert one.label == two.label
        assert abs(one.score - two.score) < 0.01


def test_a_weight_that_float16_cannot_hold(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(tiny_model, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    next(iter(tensors.values())).view(-1)[0] = 1e5
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    refused(command("export", broken, "--out", tmp_path / "out", "--half"), "BW573")
    assert not (tmp_path / "out").exists()


def test_the_model_that_is_read_is_not_written_over(command: Command, run: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(run, tmp_path / "run")
    before = (mine / "best" / "model.safetensors").read_bytes()
    refused(command("export", mine, "--out", mine / "best", "--half", "--overwrite"), "BW576", "best")
    refused(command("export", mine / "best", "--out", mine / "best" / "half", "--half"), "BW576")
    assert (mine / "best" / "model.safetensors").read_bytes() == before
    assert command("export", mine, "--out", mine / "half", "--half").code == 0


def test_what_was_exported_can_be_had_as_json(command: Command, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain"
    document = json.loads(command("export", run, "--out", out, "--half", "--json").out)
    assert (document["folder"], document["half"]) == (str(out), True)
    assert document["files"] == {file.name: file.stat().st_size for file in out.iterdir()}
    assert document["bytes"] == sum(document["files"].values())
