"""A package that brings a task and an engine by entry points: every verb knows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertwright import Predictor, finetune, plugins
from bertwright.engines.known_engines import engine_names
from bertwright.errors import BertwrightError
from bertwright.tasks import registry
from bertwright.training.finetuning import task_settings

from .conftest import Command

CODE = '''
"""A task whose classes have nicknames, and an engine that computes in float64."""

from dataclasses import dataclass, replace

import torch
from pydantic import Field

from bertwright.engines.engine import Engine
from bertwright.settings import Settings
from bertwright.tasks.classification import Classification


class MoodSettings(Settings):
    nickname: str = Field("mood", description="of the classes")


@dataclass(frozen=True)
class Mood(Classification):
    nickname: str = ""

    name = "mood"
    settings_class = MoodSettings

    def with_settings(self, settings):
        return replace(self, nickname=settings.nickname)

    def to_json(self):
        return {**super().to_json(), "nickname": self.nickname}

    @classmethod
    def from_json(cls, values):
        return replace(super().from_json(values), nickname=values["nickname"])


class Precise(Engine):
    name = "precise"

    def __init__(self, model, task):
        self._model, self._task = model.double().eval(), task

    @classmethod
    def load(cls, folder, task, device, precision):
        return cls(task.model_class.load(folder), task)

    def run(self, batch):
        with torch.inference_mode():
            return self._task.outputs(self._model, batch)

    def weights(self):
        return self._model.state_dict()
'''
ENTRY_POINTS = """
[bertwright.tasks]
mood = moodpackage:Mood
{more}
[bertwright.engines]
precise = moodpackage:Precise
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which the package lies as an installer leaves it."""
    folder = tmp_path / "site"
    about = folder / "moodpackage-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: moodpackage\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(ENTRY_POINTS.format(more=""), encoding="utf-8")
    (folder / "moodpackage.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    forget()
    yield folder
    monkeypatch.undo()
    sys.modules.pop("moodpackage", None)
    forget()


def forget() -> None:
    """What was found out about packages before."""
    for known in (plugins.brought, registry.task_named, registry.all_tasks, task_settings.settings_with):
        known.cache_clear()


def test_every_verb_knows_what_a_package_brings(
    package: Path, command: Command, tiny_model: Path, train_csv: Path, dev_csv: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    result = command(
        "finetune", train_csv, "--dev", dev_csv, "--model", tiny_model, "--out", run, "--task", "mood",
        "epochs=1", "nickname=humour",
    )  # fmt: skip
    assert result.code == 0, result.err
    task = json.loads((run / "best" / "task.json").read_text(encoding="utf-8"))
    assert (task["task"], task["nickname"]) == ("mood", "humour")
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["settings"]["nickname"] == "humour"
    assert "BERT for mood" in (run / "README.md").read_text(encoding="utf-8")

    results = [command("evaluate", run, dev_csv, "--json", "--engine", name) for name in ("torch", "precise")]
    plain, precise = (json.loads(one.out)["scores"] for one in results)
    assert plain == precise
    answers = [command("predict", run, "This is great!", "--engine", name).out for name in ("torch", "precise")]
    label, score = (json.loads(answers[1])[name] for name in ("label", "score"))
    assert label == json.loads(answers[0])["label"]
    assert score == pytest.approx(json.loads(answers[0])["score"], abs=1e-5)
    outputs = Predictor.load(run, engine="precise").engine.weights()
    assert next(iter(outputs.values())).itemsize == 8, "another engine it was"


def test_a_setting_of_one_task_is_refused_by_others(
    package: Path, tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    with pytest.raises(BertwrightError, match="BW124.*nickname"):
        finetune(train_csv, model=tiny_model, out=tmp_path / "run", task="classification", nickname="x")


def test_the_help_lists_them(package: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), *sys.path]), "COLUMNS": "200"}
    told = [
        subprocess.run(
            [sys.executable, "-m", "bertwright", verb, "--help"], env=environment, check=True, capture_output=True,
            text=True,
        ).stdout
        for verb in ("finetune", "predict")
    ]  # fmt: skip
    assert "regression, mood" in told[0]
    assert "torch, precise" in told[1]


def test_a_package_that_cannot_be_imported(
    package: Path, command: Command, tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    text = ENTRY_POINTS.format(more="broken = moodpackage:Nothing")
    (package / "moodpackage-1.0.dist-info" / "entry_points.txt").write_text(text, encoding="utf-8")
    forget()
    out = tmp_path / "run"
    words = ("finetune", train_csv, "--model", tiny_model, "--out", out, "max_steps=1")
    refused = command(*words, "--task", "broken")
    assert refused.code == 1
    assert "BW133" in refused.err
    assert "moodpackage" in refused.err
    forget()
    passed_over = command(*words)
    assert passed_over.code == 0, passed_over.err
    assert "'broken', which the package moodpackage brings" in passed_over.err


def test_names_that_nobody_brings(command: Command, run: Path) -> None:
    result = command("predict", run, "a text", "--engine", "torsh")
    assert result.code == 2
    assert "BW132: no engine is called 'torsh' (torch?)" in result.err.splitlines()[0]
    assert "mood" not in registry.task_names()
    assert engine_names() == ("torch",)
