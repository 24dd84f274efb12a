"""Every mistake ends in one message with its place and the way out, and never in a traceback."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bertwright import finetune
from bertwright.checkpoint.lock import sole_writer
from bertwright.errors import BertwrightError
from bertwright.training.loop_settings import FinetuneSettings
from tests.corpus import corpus_samples

from .conftest import Command, Result, write_csv

GOOD = [("a great day", "positive"), ("a bad day", "negative")] * 3


@pytest.fixture
def train_on(command: Command, tiny_model: Path, tmp_path: Path) -> Callable[..., Result]:
    def call(data: Path, *words: object) -> Result:
        return command("finetune", data, "--model", tiny_model, "--out", tmp_path / "run", *words)

    return call


def refused(result: Result, code: str, *parts: str) -> None:
    assert result.code in (1, 2), result.out + result.err
    assert f"error {code}:" in result.err
    assert "Traceback" not in result.err
    assert len([line for line in result.err.splitlines() if line.startswith("error")]) == 1
    for part in parts:
        assert part in result.err


def test_an_unknown_label_names_the_line_and_the_nearest(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", GOOD)
    dev = write_csv(tmp_path / "dev.csv", [("fine", "positive"), ("fine", "postive")])
    refused(train_on(train, "--dev", dev), "BW209", "dev.csv:3", "'postive'", "(positive?)")


def test_a_run_that_is_still_going_on(
    command: Command, train_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertwright.checkpoint.lock._PATIENCE", 0.0)
    train = write_csv(tmp_path / "train.csv", GOOD)
    corpus = corpus_samples.write_blocks(tmp_path / "corpus.txt", corpus_samples.documents(20))
    vocab = corpus_samples.vocabulary(tmp_path / "words")
    corpus_samples.prepare([corpus], vocab, tmp_path / "store")
    with sole_writer(tmp_path / "run"):
        refused(train_on(train, "--dev", train, "--resume"), "BW514", "run: another process is writing there")
        refused(command("prepare", corpus, "--vocab", vocab, "--out", tmp_path / "run"), "BW514")
        refused(command("pretrain", tmp_path / "store", "--out", tmp_path / "run", "max_steps=1"), "BW514")
    assert not (tmp_path / "run").exists()


def test_a_list_of_seeds_with_thousands_of_digits(train_on: Callable[..., Result], tmp_path: Path) -> None:
    refused(train_on(write_csv(tmp_path / "train.csv", GOOD), "--seeds", "9" * 5000), "BW636")


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("20 GiB wanted")], ids=repr)
def test_memory_that_does_not_suffice(
    error: Exception, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("bertwright.inference.evaluate.evaluate", full)
    refused(command("evaluate", "mini", tmp_path / "x.csv"), "BW516", str(error) or "MemoryError")


def test_half_of_a_surrogate_pair_is_placed(command: Command, run: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    rows = ["good"] * 1399 + ["a \ud83d b"]
    texts.write_text("".join(json.dumps({"text": row, "label": "positive"}) + "\n" for row in rows), encoding="utf-8")
    for words in (("predict", run, "--input", texts), ("evaluate", run, texts), ("inspect", texts)):
        refused(command(*words), "BW406", "texts.jsonl:1400 holds")


def test_line_numbers_count_line_breaks_inside_quotes(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", [("two\nlines\nmore", "positive"), ("b", "negative"), ("c", "")])
    refused(train_on(train), "BW211", "train.csv:6")


@pytest.mark.parametrize(
    "words",
    [("seed=-1",), (f"seed={2**63}",), ("--seeds", f"1,{2**64}"), ("seed=" + "9" * 5000,)],
    ids=lambda one: one[0][:9],
)
def test_a_seed_out_of_range(words: tuple[str, ...], train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", GOOD)
    refused(train_on(train, "--dev", train, *words), "BW102", "the setting seed = ")
    with pytest.raises(BertwrightError, match="BW102: the setting seed = -3"):
        finetune(train, out=tmp_path / "run", seeds=[1, -3])
    assert train_on(train, "--dev", train, f"seed={2**63 - 1}", "max_steps=1").code == 0


def test_a_single_class(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", [("a", "x"), ("b", "x")])
    refused(train_on(train), "BW210", "all 2 examples", "'x'")


def test_too_few_rows_to_hold_any_out(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", GOOD[:2])
    refused(train_on(train), "BW571", "2 examples of 2 classes", "--dev")
    assert train_on(train, "--dev", train, "max_steps=1").code == 0


def test_classes_of_dev_that_train_has_not(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", GOOD)
    dev = write_csv(tmp_path / "dev.csv", [*GOOD, ("so-so", "neutral"), ("hm", "undecided")])
    refused(train_on(train, "--dev", dev), "BW209", "dev.csv:8", "'neutral'", "negative, positive")


def test_a_column_of_fractions(train_on: Callable[..., Result], tmp_path: Path) -> None:
    rows = [(f"a film of the kind {i}", f"{i / 4}") for i in range(20)]
    train = write_csv(tmp_path / "train.csv", rows, header=("text", "score"))
    refused(train_on(train, "--label-column", "score"), "BW223", "train.csv:3", "'0.25'", "--label-column")


def test_a_row_with_too_few_columns(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", [*GOOD, ("only a text",)])
    refused(train_on(train), "BW207", "train.csv:8", "1 fields", "2")


def test_an_unclosed_quote(train_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text('text,label\ngood,positive\n"bad,negative\nfine,positive\n', encoding="utf-8")
    refused(train_on(file), "BW208", "train.csv:3")


def test_a_missing_column(train_on: Callable[..., Result], tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", GOOD, header=("text", "sentiment"))
    refused(train_on(train, "--label-column", "sentimant"), "BW206", "'sentimant'", "text, sentiment")
    assert train_on(train, "epochs=1").code == 0, "found by looking: few short values, often repeated"


@pytest.mark.parametrize("content", ["", "text,label\n", "text,label\n ,positive\n"])
def test_no_examples(train_on: Callable[..., Result], tmp_path: Path, content: str) -> None:
    file = tmp_path / "train.csv"
    file.write_text(content, encoding="utf-8")
    refused(train_on(file), "BW205", "train.csv")


def test_no_file_a_folder_and_another_kind(train_on: Callable[..., Result], tmp_path: Path) -> None:
    refused(train_on(tmp_path / "nothing.csv"), "BW201", "nothing.csv")
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    refused(train_on(folder), "BW229", "a folder, not a file")
    (tmp_path / "train.xlsx").write_bytes(b"PK")
    refused(train_on(tmp_path / "train.xlsx"), "BW204", ".xlsx")


def test_bytes_that_are_no_text(train_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes(b"text,label\ngood,positive\n\xff\xfe\x00bad,negative\n")
    refused(train_on(file), "BW260", "train.csv:3", "--encoding")


def test_the_encoding_that_was_named_is_wrong_or_unknown(train_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("text,label\n很好,正面\n很差,负面\n", encoding="gb18030")
    refused(train_on(file, "--encoding", "utf-8"), "BW234", "train.csv:2")
    refused(train_on(file, "--encoding", "utf-88"), "BW235", "utf-8, gb18030")


def test_gb18030_is_read_and_said(train_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    lines = ["text,label", "这家店的服务太差了,negative", "味道很好，我很喜欢,positive"] + [
        "今天的天气不错,positive"
    ] * 8
    file.write_text("\n".join(lines), encoding="gb18030")
    result = train_on(file, "epochs=1")
    assert result.code == 0, result.err
    assert "(gb18030): 10 examples" in result.err


def test_a_damaged_archive(train_on: Callable[..., Result], tmp_path: Path) -> None:
    import gzip

    whole = gzip.compress(b"text,label\n" + b"good,positive\nbad,negative\n" * 1000)
    file = tmp_path / "train.csv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    refused(train_on(file), "BW202", "train.csv.gz")
    file.write_bytes(b"this is no archive")
    refused(train_on(file), "BW202", "train.csv.gz")


@pytest.mark.parametrize(
    ("word", "code", "part"),
    [
        ("learing_rate=1", "BW101", "what to do: did you mean: learning_rate"),
        ("epochs=0", "BW102", "epochs = 0"),
        ("learning_rate=nan", "BW102", "learning_rate"),
        ("epochs=many", "BW102", "epochs"),
        ("epochs", "BW103", "epochs"),
    ],
)
def test_settings(train_on: Callable[..., Result], train_csv: Path, word: str, code: str, part: str) -> None:
    result = train_on(train_csv, word)
    refused(result, code, part)
    assert result.code == 2


def test_the_settings_are_listed_without_any_data(command: Command) -> None:
    result = command("finetune", "--show-settings")
    assert result.code == 0, result.err
    assert "learning_rate" in result.out


def test_a_recipe_that_cannot_be_read(train_on: Callable[..., Result], train_csv: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("epochs = = 2", encoding="utf-8")
    refused(train_on(train_csv, "--recipe", recipe), "BW104", "recipe.toml")
    refused(train_on(train_csv, "--recipe", tmp_path / "none.toml"), "BW104", "(No such file or directory)")
    recipe.write_text("epochs = 1\n", encoding="utf-8")
    assert train_on(train_csv, "--recipe", recipe).code == 0


def test_a_run_folder_that_is_not_empty(train_on: Callable[..., Result], train_csv: Path, tmp_path: Path) -> None:
    assert train_on(train_csv, "epochs=1").code == 0
    refused(train_on(train_csv, "epochs=1"), "BW502", "--overwrite")
    assert train_on(train_csv, "epochs=1", "--overwrite").code == 0


def test_overwrite_never_deletes_what_no_run_has_written(
    train_on: Callable[..., Result], train_csv: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("three years of work", encoding="utf-8")
    refused(train_on(train_csv, "--overwrite"), "BW504")
    assert (tmp_path / "run" / "thesis.txt").exists()


def test_overwrite_never_deletes_what_the_command_reads(
    command: Command, train_on: Callable[..., Result], train_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert train_on(train_csv, "max_steps=1").code == 0
    more = ("--out", out, "--overwrite", "max_steps=1")
    refused(command("finetune", train_csv, "--model", out / "best", *more), "BW509", "best", "--out")
    data = Path(shutil.copy(train_csv, out / "data.csv"))
    refused(train_on(data, "--overwrite"), "BW586", "data.csv")
    refused(train_on(train_csv, "--dev", data, "--overwrite"), "BW586", "data.csv")
    assert (out / "best" / "model.safetensors").exists()
    data.unlink()
    mistakes = Path(shutil.copy(train_csv, out / "errors.csv"))  # a file of the run
    refused(train_on(mistakes, "--overwrite"), "BW509", "errors.csv")
    assert train_on(train_csv, "max_steps=1", "--overwrite").code == 0


def test_out_is_a_file(train_on: Callable[..., Result], train_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("", encoding="utf-8")
    refused(train_on(train_csv), "BW503")


def test_models_that_are_not_there(command: Command, train_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    refused(command("finetune", train_csv, "--model", tmp_path / "none", "--out", out), "BW307")
    (tmp_path / "empty").mkdir()
    refused(command("finetune", train_csv, "--model", tmp_path / "empty", "--out", out), "BW302")
    assert not out.exists(), "a mistake found before training leaves no run folder"


def test_a_vocabulary_larger_than_the_word_table(
    command: Command, tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(tiny_model, tmp_path / "broken")
    (broken / "tokenizer.json").unlink()
    with (broken / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("onemore\n")
    refused(command("finetune", train_csv, "--model", broken, "--out", tmp_path / "run"), "BW325", "entries")


def test_predicting_with_a_base_model(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    refused(command("predict", tiny_model, "text"), "BW330", "bertwright finetune")
    pretend = shutil.copytree(tiny_model, tmp_path / "pretend")
    task = {"schema_version": 1, "task": "classification", "labels": ["a", "b"]}
    task |= {"max_length": 64, "long": "window", "overlap": 16}
    (pretend / "task.json").write_text(json.dumps(task), encoding="utf-8")
    refused(command("predict", pretend, "text"), "BW326", "classifier")


def test_a_task_file_of_the_future_or_of_nobody(command: Command, run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run / "best", tmp_path / "copy")
    (copy / "manifest.json").unlink()
    task = json.loads((copy / "task.json").read_text(encoding="utf-8"))
    for change, code in (({"schema_version": 99}, "BW332"), ({"task": "poetry"}, "BW331"), ({"labels": 3}, "BW331")):
        (copy / "task.json").write_text(json.dumps(task | change), encoding="utf-8")
        refused(command("predict", copy, "text"), code, "task.json")
    (copy / "task.json").write_text("{", encoding="utf-8")
    refused(command("predict", copy, "text"), "BW331", "task.json")


def test_a_flipped_bit(command: Command, run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    file = copy / "best" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    refused(command("predict", copy, "text"), "BW324", "model.safetensors", "last/")


def test_a_folder_that_is_no_run(command: Command, tmp_path: Path) -> None:
    refused(command("predict", tmp_path, "text"), "BW505")


def test_texts_and_a_file_or_neither(
    command: Command, run: Path, dev_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    refused(command("predict", run), "BW106")
    refused(command("predict", run, "text", "--input", dev_csv), "BW106")


def test_options_that_would_be_passed_over(
    command: Command, run: Path, dev_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = ("predict", run)
    refused(command(*predict, "--input", dev_csv, "--resume"), "BW632", "--output")
    refused(command(*predict, "text", "--text-column", "text"), "BW633", "--text-column:")
    options = ("--text-b-column", 2, "--encoding", "gb18030")
    refused(command(*predict, "text", *options), "BW633", "--text-b-column, --encoding:")
    monkeypatch.setattr("sys.stdin", io.StringIO("text\n"))
    refused(command(*predict, *options), "BW633", "--text-b-column:", "--input -")
    for among in (", ,", ""):
        refused(command("predict", "mini", "a [MASK]", "--among", among), "BW634", f"'{among}'")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "npu:0", "meta"])
def test_a_device_that_is_not_there(command: Command, run: Path, dev_csv: Path, device: str) -> None:
    for words in (["predict", run, "text"], ["evaluate", run, dev_csv], ["compare", run, run, dev_csv]):
        refused(command(*words, "--device", device), "BW130", f"'{device}'", "bertwright doctor")


def test_bytes_on_stdin_that_are_no_text(
    command: Command, run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def given(content: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    given("很好\n".encode() + "很差\n".encode("gb18030"))
    refused(command("predict", run), "BW131", "stdin:2", "--encoding gb18030")
    given("\ufeff很好\n".encode())
    good = command("predict", run)
    assert json.loads(good.out)["text"] == "很好"
    given("很好\n".encode("gb18030"))
    assert command("predict", run, "--encoding", "gb18030").out == good.out
    given(b"")
    refused(command("predict", run, "--encoding", "gb18031"), "BW235")


@pytest.mark.parametrize("seeds", ["1,b", "1,1", "1,-2", "1;2", " ,"])
def test_seeds(train_on: Callable[..., Result], train_csv: Path, seeds: str) -> None:
    refused(train_on(train_csv, "--seeds", seeds), "BW636", seeds, "each once")


def test_messages_in_chinese(command: Command) -> None:
    result = command("--lang", "zh", "predict", "nowhere", "text")
    assert result.code == 1
    assert "找不到模型 'nowhere'" in result.err
    assert "怎么办" in result.err


def test_a_language_nobody_wrote_is_wrong_usage(command: Command) -> None:
    assert command("--lang", "fr", "demo").code == 2


def test_a_length_that_the_model_cannot_read_is_lowered_and_said(
    train_on: Callable[..., Result], tmp_path: Path
) -> None:
    train = write_csv(tmp_path / "train.csv", GOOD * 4)
    result = train_on(train, "max_length=1000", "max_steps=1")
    assert result.code == 0, result.err
    assert "max_length=1000: this model reads 64 tokens at once, and no more" in result.err
    assert "epoch 1/1" in result.err


def test_settings_and_keywords_are_both_obeyed(tiny_model: Path, train_csv: Path, tmp_path: Path) -> None:
    settings = FinetuneSettings.resolve(epochs=3, batch_size=64, precision="fp32")
    run = finetune(train_csv, model=tiny_model, out=tmp_path / "run", settings=settings, epochs=1)
    known = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["settings"]
    assert (known["epochs"], known["batch_size"]) == (1, 64)
    with pytest.raises(BertwrightError, match="BW101"):
        finetune(train_csv, model=tiny_model, out=tmp_path / "other", settings=settings, nonsense=3)


def test_a_seed_given_twice(tiny_model: Path, train_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW636"):
        finetune(train_csv, model=tiny_model, out=tmp_path / "run", seeds=[1, 1])
    assert not (tmp_path / "run").exists()


def test_the_shortest_length_can_be_learnt_from(train_on: Callable[..., Result], train_csv: Path) -> None:
    assert train_on(train_csv, "--dev", train_csv, "max_length=8", "max_steps=1").code == 0


def test_half_a_character_in_a_label_is_told_before_the_training(
    train_on: Callable[..., Result], tmp_path: Path
) -> None:
    data = tmp_path / "train.jsonl"
    rows: list[dict[str, object]] = [{"text": "a", "label": "x"}, {"text": "b", "label": "y\ud83d"}]
    data.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    refused(train_on(data, "--dev", data), "BW406", "train.jsonl:2")
    rows = [{"text": "a b", "label": [[0, 1, "x\ud83d"]]}, {"text": "a b", "label": []}]
    data.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    refused(train_on(data, "--dev", data, "--task", "tagging"), "BW406", "train.jsonl:1")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [("inspect",), ("finetune",), ("convert-data", "b.jsonl")], ids=str)
def test_a_text_where_a_file_belongs(command: Command, words: tuple[str, ...]) -> None:
    verb, *rest = words
    refused(command(verb, "This is a long text. " * 40, *rest), "BW575")


def test_the_demo_leaves_the_runs_of_others(command: Command, run: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(run, tmp_path / "mine")
    before = (mine / "run.json").read_bytes()
    refused(command("demo", "--out", mine, "--epochs", 1), "BW502", "--overwrite")
    assert (mine / "run.json").read_bytes() == before


def test_flags_of_vocab_that_would_be_passed_over(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("unheard\n", encoding="utf-8")
    given = ("vocab", "--words", words, "--extend", tiny_model, "--out", tmp_path / "out")
    refused(command(*given, "--size", 1), "BW638", "--size")
    refused(command(*given, "--cased"), "BW638", "--cased")


def test_data_of_another_task_is_called_what_it_is(
    command: Command, run: Path, train_on: Callable[..., Result], tmp_path: Path
) -> None:
    table = write_csv(tmp_path / "train.csv", GOOD)
    tagged = tmp_path / "train.conll"
    tagged.write_text("Anna B-PER\nsings O\n\nBob B-PER\nsleeps O\n", encoding="utf-8")
    refused(train_on(tagged, "--task", "classification"), "BW263", "train.conll: these are tagged sentences")
    refused(command("evaluate", run, tagged), "BW263")
    refused(train_on(table, "--task", "tagging"), "BW264", "train.csv:1: this is a table of texts")
    refused(command("convert-data", table, tmp_path / "out.conll"), "BW264")
    refused(command("convert-data", tagged, tagged, "--overwrite"), "BW576")
    refused(command("pretrain", tmp_path, "--out", tmp_path / "run"), "BW287")
    refused(command("finetune", "max_steps=3", table), "BW143", "bertwright finetune TRAIN.csv max_steps=3")
    refused(command("finetune", table, "--model", table), "BW336")
    answered = command("predict", run, table)
    assert "is answered as a text" in answered.err
    (tmp_path / "answers.jsonl").write_text("mine", encoding="utf-8")
    replaced = command("predict", run, "--input", table, "--output", tmp_path / "answers.jsonl")
    assert "answers.jsonl was there and is replaced" in replaced.err
