"""The command line, called in this process."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from bertwright.cli.main import main
from bertwright.data.examples import label_of
from bertwright.data.samples import sentiment_samples
from bertwright.model.models import BertWithHead


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("predict", run, "text")`: the exit code and both outputs."""
    import logging

    def call(*words: object) -> Result:
        monkeypatch.setattr("sys.argv", ["bertwright", *map(str, words)])
        logger = logging.getLogger("bertwright")
        handlers, level = list(logger.handlers), logger.level
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        finally:
            logger.handlers, logger.propagate, logger.level = handlers, True, level
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def broken_copy(model: Path, folder: Path, kind: type[BertWithHead]) -> Path:
    """A copy of a model of which one weight is no number."""
    shutil.copytree(model, folder)
    net = kind.from_pretrained(folder)
    with torch.no_grad():
        net.base_model.embeddings.LayerNorm.weight[0] = torch.nan
    net.save_pretrained(folder)
    return folder


def write_csv(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    """A CSV file as a spreadsheet writes it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="session")
def sentences() -> list[tuple[str, str]]:
    """All built-in sentences with their labels, both languages."""
    examples = [*sentiment_samples("en"), *sentiment_samples("zh")]
    return [(example.text, label_of(example) or "") for example in examples]


@pytest.fixture(scope="session")
def train_csv(tmp_path_factory: pytest.TempPathFactory, sentences: list[tuple[str, str]]) -> Path:
    return write_csv(tmp_path_factory.mktemp("data") / "train.csv", sentences[::2])


@pytest.fixture(scope="session")
def dev_csv(tmp_path_factory: pytest.TempPathFactory, sentences: list[tuple[str, str]]) -> Path:
    return write_csv(tmp_path_factory.mktemp("data") / "dev.csv", sentences[1::6])


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, train_csv: Path, dev_csv: Path) -> Path:
    """A finished run of a few seconds."""
    from bertwright import finetune

    out = tmp_path_factory.mktemp("runs") / "first"
    finetune(train_csv, dev_csv, model=tiny_model, out=out, epochs=3, learning_rate=3e-3, seed=5)
    return out
