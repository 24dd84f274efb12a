"""Command lines as people type them: read as they were meant, or answered in one message in their language."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from rich.cells import cell_len

from bertwright.cli.helping import help_of
from bertwright.cli.main import app
from bertwright.cli.typed_words import meant
from bertwright.errors import BertwrightError
from bertwright.text.han import count_han
from bertwright.wording import phrases

from .conftest import Command, write_csv
from .test_mistakes import refused

OPTIONS = {
    "--dev": "text", "--out": "text", "--resume": "", "--overwrite": "", "--help": "", "--size": "number",
    "--columns": "text", "--among": "text", "--seeds": "text", "--set": "text", "--text-b": "text",
}  # fmt: skip


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "train.csv", [("a good day", "good"), ("a bad day", "bad")] * 6)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("finetune a.csv --epochs 3", "finetune a.csv epochs=3"),
        ("finetune a.csv --learning-rate=3e-5 --dev b.csv", "finetune a.csv learning_rate=3e-5 --dev b.csv"),
        (
            "finetune a.csv --gradient-checkpointing --overwrite",
            "finetune a.csv gradient_checkpointing=true --overwrite",
        ),
        ("finetune a.csv --out --epochs", "finetune a.csv --out --epochs"),
        ("finetune a.csv --num_beams 4", "finetune a.csv num_beams=4"),
        ("finetune a.csv epochs＝２ —overwrite", "finetune a.csv epochs=2 --overwrite"),
        ("finetune “a.csv” –dev ‘b.csv’", "finetune a.csv --dev b.csv"),
        ("finetune a.csv head=“crf”", "finetune a.csv head=crf"),
        ("pretrain store --max-steps 10 --no-such 3", "pretrain store max_steps=10 --no-such 3"),
        ("predict run “好” --epochs 3", "predict run “好” --epochs 3"),
        ("predict run —— —你好 —Hi", "predict run —— —你好 —Hi"),
        ("evaluate run test.csv —json", "evaluate run test.csv --json"),
        ("vocab c --size ３００ --out ３０", "vocab c --size 300 --out ３０"),
        ("vocab c －－size＝３００", "vocab c --size=300"),
        ("predict run --columns 编号，日期、名 --input a，b", "predict run --columns 编号,日期,名 --input a，b"),
        ("predict run --among=好，坏 --text-b １，２", "predict run --among=好,坏 --text-b １，２"),
        ("finetune a.csv --seeds １，２、３", "finetune a.csv --seeds 1,2,3"),
        ("evaluate run a.csv --set num_beams＝4", "evaluate run a.csv --set num_beams=4"),
    ],
)
def test_words_are_read_as_they_were_meant(typed: str, read: str) -> None:
    assert meant(typed.split(), lambda _: OPTIONS) == read.split()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("train train.csv", "BW117", "bertwright finetune --help"),
        ("eval run test.csv", "BW117", "bertwright evaluate --help"),
        ("finetnue train.csv", "BW117", "bertwright finetune --help"),
        ("finetune", "BW107", "bertwright finetune --help"),
        ("evaluate mini", "BW107", "bertwright evaluate --help"),
        ("prepare corpus.txt", "BW107", "--vocab"),
        ("prepare corpus.txt", "BW107", "--out"),
        ("finetune train.csv，dev.csv", "BW146", "bertwright finetune train.csv --dev dev.csv"),
        ("evaluate mini a.csv,b.csv", "BW146", "bertwright evaluate a.csv b.csv"),
        ("prepare a.txt、b.txt.gz --vocab mini --out s", "BW146", "bertwright prepare a.txt b.txt.gz"),
        ("finetune train.csv -o out", "BW105", "--out"),
        ("predict mini -o out", "BW105", "--output"),
        ("predict mini --outptu x", "BW105", "--output"),
        ("finetune train.csv --dev", "BW119", "--dev"),
        ("predict mini --top-k x a", "BW116", "--top-k"),
        ("compare a b c d", "BW118", "d"),
        ("--lang xx doctor", "BW116", "xx"),
        ("finetune train.csv lr=3", "BW101", "learning_rate"),
        ("finetune train.csv max_seq_length=3", "BW101", "max_length"),
        ("finetune train.csv dev.csv", "BW135", "--dev dev.csv"),
        ("finetune train.csv --epochs 3 epochs=4", "BW134", "epochs"),
        ("finetune https://example.org/train.csv", "BW136", "https://example.org/train.csv"),
        ("finetune train.csv --device gpu", "BW130", "CUDA"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_mistakes_are_one_message(
    words: str, code: str, told: str, lang: str, command: Command, train: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(train.parent)
    monkeypatch.setenv("BERTWRIGHT_LANG", lang)
    result = command(*words.split())
    refused(result, code) if lang == "en" else None
    assert (result.code, result.out) == (2, "")
    assert code in result.err
    assert told in result.err
    assert (count_han(result.err) > 5) == (lang == "zh")


def test_a_run_in_place_of_data_is_named(command: Command, run: Path) -> None:
    result = command("finetune", run)
    refused(result, "BW137")
    assert f"--model {run}" in result.err


def test_help_is_in_chinese_for_who_reads_chinese(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BERTWRIGHT_LANG", raising=False)
    for words in (["--lang", "zh", "--help"], ["--lang=zh", "finetune", "--help"]):
        result = command(*words)
        assert result.code == 0
        assert "用法：" in result.out
        assert "选项：" in result.out
        assert "Options:" not in result.out
        monkeypatch.delenv("BERTWRIGHT_LANG", raising=False)


def texts_of_help() -> list[str]:
    """Every paragraph of every help that is no command."""
    found: list[str] = []
    program = typer.main.get_command(app)
    for one in (program, *program.commands.values()):  # type: ignore[attr-defined]
        helps = [one.help, *(getattr(param, "help", None) for param in one.params)]
        for paragraph in (part for text in helps if text for part in text.split("\n\n")):
            folded = " ".join(paragraph.split())
            if folded and not folded.startswith(("bertwright ", "cat ")) and folded not in ("Examples:", "Example:"):
                found.append(folded)
    return list(dict.fromkeys(found))


def test_every_help_is_there_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = [text for text in texts_of_help() if text not in phrases()]
    assert not missing, "\n".join(missing)
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    assert help_of("Train a model on labelled texts.") != "Train a model on labelled texts."


def test_help_in_chinese_keeps_its_columns(command: Command) -> None:
    for line in ("--lang zh finetune --help", "finetune --help --lang zh", "finetune -h --lang=zh"):
        shown = command(*line.split()).out
        for heading in ("用法：", "参数：", "选项：", "示例：", "[默认：", "[必填]", "[选项]"):
            assert heading in shown
        assert "    bertwright finetune train.csv --dev dev.csv\n" in shown
        assert max(map(cell_len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("微调 train.csv", "BW117", "bertwright finetune --help"),
        ("help", "BW117", "bertwright --help"),
        ("finetune train.csv --output_dir out", "BW105", "--out?"),
        ("finetune train.csv --gpu", "BW105", "--device cuda?"),
        ("finetune train.csv 学习率=3e-5", "BW101", "did you mean: learning_rate\n"),
        ("finetune train.csv fp16=true", "BW101", "precision=bf16"),
        ("finetune train.csv model=bert-base-cased", "BW101", "--model"),
        ("pretrain store bs=3", "BW101", "batch_tokens"),
        ("finetune train.csv --lr 3e-5", "BW101", "did you mean: learning_rate\n"),
        ("finetune train.csv --json=yes", "BW118", "--json takes no value"),
        ("predict mini “a good film”", "BW139", "bertwright predict RUN 'a good film'"),
    ],
)
def test_words_of_other_programs_are_known(words: str, code: str, told: str, command: Command, train: Path) -> None:
    refused(command(*words.replace("train.csv", str(train)).split()), code, told)


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        ("finetune", "finetune needs TRAIN\n", "缺少 训练数据\n"),
        ("prepare", "prepare needs CORPUS, --vocab, --out\n", "缺少 语料、--vocab、--out\n"),
        ("prepare a.txt --out s", "prepare needs --vocab\n", "缺少 --vocab\n"),
        ("convert-data a.conll", "convert-data needs OUT\n", "缺少 输出文件\n"),
    ],
)
def test_what_a_command_lacks_is_named_as_it_is_typed(
    words: str, english: str, chinese: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lang, told in (("en", english), ("zh", chinese)):
        monkeypatch.setenv("BERTWRIGHT_LANG", lang)
        assert told in command(*words.split()).err


def test_a_usage_line_and_its_examples_are_in_chinese(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    for verb, usage in (
        ("convert-data", "用法：bertwright convert-data [选项] 输入文件 输出文件\n"),
        ("finetune", "用法：bertwright finetune [选项] 训练数据 [键=值 ...]\n"),
        ("prepare", "用法：bertwright prepare [选项] 语料...\n"),
        ("predict", "用法：bertwright predict [选项] 运行文件夹 [文本 ...]\n"),
    ):
        told = command(verb, "--help").out
        assert told.startswith(usage)
        assert not any(name in told for name in (" IN ", " OUT", "TRAIN", "CORPUS", "STORE", "KEY=VALUE", "This is a"))


@pytest.mark.parametrize(
    "words",
    [
        "finetune train.csv --model no/such",
        "prepare corpus.txt --vocab no/such --out store",
        "vocab corpus.txt --extend no/such --out more",
        "inspect train.csv --model no/such",
        "pretrain store --init no/such --out run",
    ],
)
def test_every_verb_fetches_a_model_only_where_it_is_told_to(
    words: str, command: Command, train: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetch(name: str, **_: object) -> Path:
        asked.append(name)
        raise BertwrightError("BW564", name=name)

    monkeypatch.setattr("bertwright.checkpoint.hub.fetch", fetch)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(train.parent)
    (train.parent / "corpus.txt").write_text("a text\n", encoding="utf-8")
    refused(command(*words.split()), "BW301", "bertwright download no/such")
    assert asked == []
    refused(command(*words.split(), "--download"), "BW564")
    assert asked == ["no/such"]


def test_the_place_of_a_typed_text_is_said_in_chinese(
    command: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    told = command("predict", run, "好", "也好", "--text-b", "坏").err
    assert "BW581: 命令行的第 1 个文本：" in told
    assert "arguments" not in told
