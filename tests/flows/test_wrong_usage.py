"""A command line with a mistake in it: what is plain is read and said, and the rest is named with the right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Command, Result, write_csv

GOOD = [("a great day", "positive"), ("a bad day", "negative")] * 3


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "b.csv", GOOD)
    return write_csv(tmp_path / "a.csv", GOOD)


def refused(result: Result, code: str, *parts: str) -> None:
    assert result.code == 2, result.err
    assert f" {code}:" in result.err
    for part in parts:
        assert part in result.err


@pytest.mark.parametrize(
    ("line", "code", "part"),
    [
        ("train a.csv", "BW135", "bertwright finetune"),
        ("fine-tune a.csv", "BW135", "bertwright finetune"),
        ("eval runs/first a.csv", "BW135", "bertwright evaluate"),
        ("infer runs/first", "BW135", "bertwright predict"),
        ("tokenize a.csv", "BW135", "bertwright inspect"),
        ("微调 a.csv", "BW135", "bertwright finetune"),
        ("serve", "BW135", "bertwright --help"),
        ("finetune", "BW136", "bertwright finetune TRAIN"),
        ("prepare a.csv", "BW136", "--vocab … --out …"),
        ("compare x y a.csv b.csv", "BW137", "words too many: b.csv"),
        ("finetune a.csv -o out", "BW105", "did you mean --out?"),
        ("finetune a.csv --output_dir out", "BW105", "--out?"),
        ("predict x --out y", "BW105", "--output?"),
        ("finetune --train a.csv", "BW105", "bertwright finetune TRAIN"),
        ("finetune a.csv --gpu", "BW105", "--device cuda"),
        ("finetune a.csv --learnin-rate 3", "BW105", "learning_rate"),
        ("finetune a.csv --dev", "BW139", "--dev …"),
        ("finetune a.csv --epochs", "BW139", "--epochs …"),
        ("finetune a.csv --json=yes", "BW139", "takes no value"),
        ("demo --lang", "BW139", "--lang …"),
        ("demo --epochs 0", "BW107", "greater than or equal to 1"),
        ("finetune a.csv b.csv", "BW117", "--dev b.csv"),
        ("finetune https://x.org/d/a.csv?raw=1", "BW119", "curl -L -o a.csv 'https://x.org/d/a.csv?raw=1'"),
        ("finetune a.csv lr=3e-5", "BW101", "did you mean: learning_rate\n"),
        ("finetune a.csv -lr 3e-5", "BW101", "did you mean: learning_rate\n"),
        ("finetune a.csv 学习率=3e-5", "BW101", "did you mean: learning_rate\n"),
        ("finetune a.csv --fp16", "BW101", "precision=bf16"),
        ("finetune a.csv gpu=0", "BW101", "--device cuda"),
        ("pretrain a --batch-size 3", "BW101", "batch_tokens"),
        ("finetune a.csv --epochs 3 epochs=4", "BW116", "--epochs"),
        ("finetune a.csv --long head long=window", "BW116", "long"),
        ("predict x “a good film”", "BW134", "bertwright predict RUN 'a good film'"),
    ],
)
def test_a_wrong_word_is_named_with_the_right_one(
    line: str, code: str, part: str, command: Command, data: Path
) -> None:
    refused(command(*line.split()), code, part)
    said = command("--lang", "zh", *line.split())
    assert said.code == 2
    assert "怎么办" in said.err
    assert "what to do" not in said.err


def test_a_run_is_no_data(command: Command, run: Path) -> None:
    refused(command("finetune", run), "BW118", f"--model {run}/best")
    refused(command("inspect", run), "BW118")


@pytest.mark.parametrize(
    "line",
    [
        "a.csv epochs=0", "a.csv --epochs 0", "--epochs=0 a.csv", "epochs=0 a.csv", "a.csv --epochs 0 epochs=0",
        "a.csv epochs＝０", "a.csv —epochs 0", "“a.csv” epochs=0", "a.csv， epochs=0",
        "a.csv --dev\u3000b.csv epochs=0",
        "ａ.csv －－epochs ０",
    ],
)  # fmt: skip
def test_settings_as_words_and_as_flags_and_in_the_signs_of_another_keyboard(
    line: str, command: Command, data: Path
) -> None:
    result = command("finetune", *line.split(" "))
    refused(result, "BW102", "epochs = 0")
    assert ("is read as" in result.err) == (not line.isascii())


def test_flags_are_obeyed_as_settings_are(
    command: Command, data: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, object] = {}

    def see(*_: object, **given: object) -> None:
        seen.update(given)
        raise SystemExit(0)

    monkeypatch.setattr("bertwright.training.finetuning.finetune.finetune", see)
    command("finetune", "a.csv", "--learning-rate", "3e-5", "--batch_size=4", "--gradient-checkpointing", "seed=7")
    settings = seen["settings"]
    assert (settings.learning_rate, settings.batch_size, settings.seed) == (3e-5, 4, 7)  # type: ignore[attr-defined]
    assert settings.gradient_checkpointing is True  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", ["--lang zh finetune --help", "finetune --help --lang zh_CN", "finetune -h --lang=zh"])
def test_help_in_chinese_keeps_its_columns(line: str, command: Command) -> None:
    from bertwright.cli.helping import wide

    help_text = command(*line.split()).out
    for heading in ("用法：", "参数：", "选项：", "示例：", "[默认值：", "[必填]", "显示这段说明"):
        assert heading in help_text
    assert "    bertwright finetune train.csv --dev dev.csv\n" in help_text
    assert max(map(wide, help_text.splitlines())) <= 80


def test_the_settings_are_listed_in_chinese(command: Command) -> None:
    listed = command("--lang", "zh", "finetune", "--show-settings").out
    assert all(word in listed for word in ("设置", "默认值", "含义", "自动"))


def test_a_warning_is_called_so_in_chinese(command: Command, data: Path) -> None:
    assert (
        "警告：“epochs＝0”按 epochs=0 读取（＝ U+FF1D" in command("--lang", "zh", "finetune", "a.csv", "epochs＝0").err
    )


def test_a_graphics_card_is_called_cuda(command: Command, run: Path) -> None:
    refused(command("predict", run, "text", "--device", "gpu"), "BW130", "called cuda")
    assert "ipu" not in command("predict", run, "text", "--device", "nonsense").err
