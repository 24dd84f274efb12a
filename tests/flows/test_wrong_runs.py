"""Wrong uses of runs and models, and the answers that they get."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bertwright import Predictor, finetune
from bertwright.errors import BertwrightError
from bertwright.runs.resuming import check_same_run
from bertwright.training.loop_settings import LoopSettings, lower_rate

from .conftest import Command, write_csv

ROWS = [("a great day", "positive"), ("a bad day", "negative")] * 8


def test_a_loss_that_explodes_names_the_rate_and_a_lower_one(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = torch.optim.AdamW.step

    def broken(self: torch.optim.AdamW, *given: Any) -> None:
        step(self, *given)
        for group in self.param_groups:
            for parameter in group["params"]:
                nn.init.constant_(parameter, torch.nan)

    monkeypatch.setattr(torch.optim.AdamW, "step", broken)
    with pytest.raises(BertwrightError, match="BW583: after step 1") as caught:
        finetune(ROWS, ROWS, model=tiny_model, out=tmp_path / "run", learning_rate=2e5, epochs=1, precision="fp32")
    assert "learning rate, 200000, is too high" in caught.value.texts("en")[1]
    assert "learning_rate=0.0003 overwrite=True" in caught.value.texts("en")[2]
    assert "200000" in caught.value.texts("zh")[1]
    assert "learning_rate=200000 is far above the usual" in caplog.text, "said at once"


def test_usual_rates_raise_no_doubt() -> None:
    assert LoopSettings(learning_rate=3e-3).doubts() == []
    assert len(LoopSettings(learning_rate=0.05).doubts()) == 1
    assert lower_rate(2e5, 768) == 5e-5
    assert lower_rate(5e-5, 768) == 5e-6


@pytest.mark.parametrize(("kept", "way_out"), [(("last",), "run/last"), ((), "--resume")])
def test_a_run_that_has_no_best_model_yet(
    kept: Sequence[str], way_out: str, command: Command, run: Path, tmp_path: Path
) -> None:
    stopped = tmp_path / "run"
    stopped.mkdir()
    shutil.copy(run / "run.json", stopped)
    for name in kept:
        shutil.copytree(run / name, stopped / name)
    data = write_csv(tmp_path / "a.csv", ROWS)
    for words in (
        ("predict", stopped, "a text"),
        ("evaluate", stopped, data),
        ("finetune", data, "--model", stopped, "--out", tmp_path / "new"),
        ("export", stopped, "--out", tmp_path / "exported"),
    ):
        result = command(*words)
        assert (result.code, "BW584" in result.err, way_out in result.err) == (2, True, True), result.err
    for name in kept:
        assert command("predict", stopped / name, "a text").code == 0, "what is proposed works"


def test_a_model_and_data_that_changed_places(command: Command, run: Path, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "a.csv", ROWS)
    result = command("evaluate", data, run)
    assert (result.code, f"bertwright evaluate {run} {data}" in result.err) == (2, True)
    result = command("compare", run, data, "mini")
    assert (result.code, f"bertwright compare {run} mini {data}" in result.err) == (2, True)
    for words in (("evaluate", run, run), ("inspect", run)):
        assert "BW137" in command(*words).err


def test_a_pre_trained_model_is_not_evaluated(command: Command, tmp_path: Path) -> None:
    result = command("--lang", "zh", "evaluate", "mini", write_csv(tmp_path / "a.csv", ROWS))
    os.environ.pop("BERTWRIGHT_LANG", None)
    assert result.code == 2
    assert "BW145: mini：这是预训练模型" in result.err
    assert "--model mini --out runs/first" in result.err


def test_rows_of_three_are_no_texts(run: Path) -> None:
    with pytest.raises(BertwrightError, match="BW585.*3 fields"):
        Predictor.load(run)([("a", "b", "c")])


RECORD: dict[str, Any] = {
    "requested": {}, "task": "t", "model": "m", "device": "cpu", "threads": 1, "torch_version": "2",
    "train_source": "a.csv", "train_examples": 9, "train_sha256": "1", "data_sha256": "2",
    "dev_source": "b.csv", "dev_examples": 3, "dev_sha256": "3",
}  # fmt: skip


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"train_sha256": "4", "data_sha256": "4", "train_examples": 8}, "a.csv (9 examples) and is now a.csv (8 exa"),
        ({"train_sha256": "4", "data_sha256": "4"}, "is now a.csv (9 examples), with other texts or answers"),
        ({"dev_sha256": "4", "dev_source": "c.csv"}, "the dev set was b.csv (3 examples) and is now c.csv"),
        (
            {"train_sha256": "4", "train_examples": 8, "dev_sha256": "5", "dev_source": "a.csv"},
            "the dev set was b.csv (3 examples) and is now held out from the training data (without --dev)",
        ),
    ],
)
def test_other_data_of_a_run_are_told_without_hashes(now: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW506") as caught:
        check_same_run(tmp_path, RECORD, RECORD | now)
    assert told in caught.value.texts("en")[0]
    check_same_run(tmp_path, RECORD, dict(RECORD))


def test_a_file_of_a_run_that_was_written_since_is_dated(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "a.csv", ROWS)
    os.utime(data, (1_000_000_000, 1_000_000_000))
    before = RECORD | {"train_source": str(data)}
    with pytest.raises(BertwrightError, match="BW506.*the file was last written 2001-09-0"):
        check_same_run(tmp_path, before, before | {"train_sha256": "4", "data_sha256": "4"})
