"""Texts for texts: from pairs to a run, its scores and its outputs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
import transformers
from recipes.number_writing import draw_pairs, write_pairs

from bertwright import BertForSeq2SeqLM, BertTokenizer, Predictor, finetune
from bertwright.data.targets import WrittenBatch
from bertwright.errors import BertwrightError

from .conftest import Command, broken_copy

QUICK = ("epochs=1", "batch_size=32", "learning_rate=3e-3", "max_target_length=24", "max_length=32")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.tsv, test.tsv and a vocabulary of their characters."""
    folder = tmp_path_factory.mktemp("numbers")
    write_pairs(folder, 200, 20, seed=1)
    characters = sorted({character for pair in draw_pairs(200, 20, 1)[0] for text in pair for character in text})
    inner = [f"##{digit}" for digit in "0123456789"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab").mkdir()
    BertTokenizer([*special, *characters, *inner]).save_pretrained(folder / "vocab")
    return folder


@pytest.fixture(scope="module")
def run(numbers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "numbers"
    finetune(
        numbers / "train.tsv", numbers / "test.tsv", model=numbers / "vocab", out=out, task="seq2seq",
        shape="tiny", dropout=0.0, epochs=1, batch_size=32, learning_rate=3e-3, max_target_length=24, max_length=32,
        precision="fp32",  # as `evaluate` computes; the dev set is judged in that of the training
    )  # fmt: skip
    return out


def test_a_run_from_scratch(run: Path) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["finished"]
    assert record["task"] == "seq2seq"
    scores = record["best_scores"]
    assert list(scores)[:3] == ["token_accuracy", "perplexity", "exact_match"]
    assert {"rougeL", "bleu", "chrf"} <= set(scores)
    assert 0 < scores["token_accuracy"] < 1
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        row = next(iter(csv.DictReader(file)))
    assert float(row["train_token_accuracy"]) > 0
    rows = [json.loads(line) for line in (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 20
    assert set(rows[0]) == {"where", "text", "gold", "output", "score", "finished", "truncated"}
    card = (run / "README.md").read_text(encoding="utf-8")
    assert "EncoderDecoderModel" in card
    assert "as for longer texts, only their beginning is read" in card
    assert record["settings"]["long"] == "head"
    config = json.loads((run / "best" / "config.json").read_text(encoding="utf-8"))
    assert (config["positions"], config["encoder"]["hidden_act"]) == ("sinusoidal", "relu")


def test_the_peer_opens_the_run_and_writes_the_same(run: Path) -> None:
    peer = transformers.EncoderDecoderModel.from_pretrained(run / "best").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "best")
    texts = ["二〇二四年三月九日", "105"]
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    inputs.pop("token_type_ids", None)
    written = peer.generate(**inputs, max_length=24, num_beams=1, do_sample=False)
    ours = Predictor.load(run)(texts)
    for one, row in zip(ours, written):
        expected = str(tokenizer.decode(row, skip_special_tokens=True))
        assert one.to_json()["output"].replace(" ", "") == expected.replace(" ", "")


def test_evaluate_and_predict(command: Command, run: Path, numbers: Path, tmp_path: Path) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    scores = json.loads(command("evaluate", run, numbers / "test.tsv", "--json").out)["scores"]
    assert scores == pytest.approx(record["best_scores"], rel=1e-4)
    result = command("evaluate", run, numbers / "test.tsv", "--set", "num_beams=3", "--show-errors", "2")
    assert result.code == 0, result.err
    result = command("predict", run, "105", "一百", " ", "--set", "num_beams=2", "--set", "max_output_length=8")
    assert result.code == 0, result.err
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["text"] for answer in answers] == ["105", "一百", " "]
    assert answers[2]["output"] == ""
    output = tmp_path / "out.csv"
    assert command("predict", run, "--input", numbers / "test.tsv", "--output", output).code == 0
    with output.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 20


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("num_beams=0",), "BW102"),
        (("num_beams=500000",), "BW102"),
        (("num_beams=2", "length_penalty=1e9"), "BW102"),
        (("num_beams=2", "length_penalty=-6"), "BW102"),
        (("beams=4",), "BW101"),
        (("max_output_length=9999",), "BW603"),
        (("do_sample=true", "num_beams=2"), "BW604"),
    ],
)
def test_wrong_wishes(command: Command, run: Path, words: tuple[str, ...], code: str) -> None:
    options = [part for word in words for part in ("--set", word)]
    result = command("predict", run, "105", *options)
    assert result.code == 2
    assert f"error {code}:" in result.err


def test_the_old_word_for_the_length_of_outputs_is_obeyed_and_said_once(command: Command, run: Path) -> None:
    old, new = (
        command("predict", run, "nine hundred and ninety nine", "--set", f"{word}=3")
        for word in ("max_length", "max_output_length")
    )
    assert old.code == new.code == 0, old.err
    assert old.out == new.out
    assert not json.loads(new.out)["finished"], "three tokens are too few"
    assert old.err.count("max_length is called max_output_length now") == 1
    assert "is called" not in new.err


def test_from_a_bert_and_on_again(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    """Encoder and decoder from a BERT's weights; the same command gives the same bytes; a run can begin a run."""
    from bertwright.data.samples import sentiment_samples

    pairs = [(one.text, one.text.split()[0]) for one in sentiment_samples("en")[:24]]
    train = tmp_path / "train.csv"
    with train.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("source", "target"), *pairs])
    words = ("--task", "seq2seq", "--model", tiny_model, "max_steps=4", "batch_size=8", "max_target_length=10",
             "eval_steps=2")  # fmt: skip
    result = command("finetune", train, "--dev", train, "--out", tmp_path / "whole", *words)
    assert result.code == 0, result.err
    assert "the decoder begins as a copy of the encoder" in result.err
    assert "new and untrained: cls.predictions, cross-attention" in result.err
    assert command("finetune", train, "--dev", train, "--out", tmp_path / "again", *words).code == 0
    again = (tmp_path / "again" / "best" / "model.safetensors").read_bytes()
    assert again == (tmp_path / "whole" / "best" / "model.safetensors").read_bytes()
    more = ("--task", "seq2seq", "--model", tmp_path / "whole" / "best", "max_steps=1", "max_target_length=10")
    result = command("finetune", train, "--dev", train, "--out", tmp_path / "more", *more)
    assert result.code == 0, result.err
    assert "heads loaded: cls.predictions, cross-attention, decoder" in result.err


def test_mistakes_in_the_data(command: Command, numbers: Path, tiny_model: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("source,target\na,b\nc, \n", encoding="utf-8")
    words = ("--task", "seq2seq", "--model", tiny_model, "--out", tmp_path / "run")
    result = command("finetune", empty, *words)
    assert result.code == 1
    assert "error BW610: " in result.err
    assert "empty.csv:3: there is no target text" in result.err
    long = tmp_path / "long.csv"
    long.write_text("source,target\na,b\nc," + "x " * 100 + "\n", encoding="utf-8")
    result = command("finetune", long, "--dev", long, *words, "max_target_length=60")
    assert "error BW611: " in result.err
    assert "long.csv:3: the target has 102 tokens, the decoder has 64 positions" in result.err
    result = command("finetune", long, "--dev", long, *words, "max_target_length=65")
    assert "error BW603: " in result.err
    no_source = tmp_path / "none.csv"
    no_source.write_text("source,target\n ,b\nc,d\ne,f\n", encoding="utf-8")
    result = command("finetune", no_source, "--dev", no_source, *words, "max_steps=1", "max_target_length=8")
    assert result.code == 0, result.err
    assert "1 row without text left out" in result.err
    result = command("finetune", numbers / "train.tsv", *words, "--overwrite", "label_smoothing=1.5")
    assert "error BW102" in result.err
    result = command("predict", tmp_path / "run", "a", "--set", "num_beams=2", "--top-k", "3")
    assert "error BW525" in result.err


def test_only_what_writes_has_wishes(
    command: Command, tiny_model: Path, train_csv: Path, dev_csv: Path, tmp_path: Path
) -> None:
    words = ("--model", tiny_model, "--out", tmp_path / "run", "max_steps=1")
    assert command("finetune", train_csv, "--dev", dev_csv, *words).code == 0
    result = command("predict", tmp_path / "run", "a", "--set", "num_beams=2")
    assert (result.code, "error BW605" in result.err, "'seq2seq'" in result.err) == (2, True, True)
    result = command("predict", tmp_path / "run", "a", "--top-k", "3")
    assert (result.code, "error BW525" in result.err, "'fill-mask'" in result.err) == (2, True, True)
    result = command("finetune", train_csv, "--dev", dev_csv, *words, "--overwrite", "num_beams=2")
    assert "error BW124" in result.err


def test_two_runs_are_not_compared_yet(command: Command, run: Path, numbers: Path) -> None:
    result = command("compare", run, run, numbers / "test.tsv")
    assert (result.code, "error BW635" in result.err, "bertwright evaluate" in result.err) == (2, True, True)
    assert "error BW145" in command("compare", run, "mini", numbers / "test.tsv").err


def test_windows_are_refused_where_they_are_asked_for(command: Command, numbers: Path, tmp_path: Path) -> None:
    words = ("finetune", numbers / "train.tsv", "--model", numbers / "vocab", "--task", "seq2seq")
    result = command(*words, "--out", tmp_path / "run", "shape=tiny", "long=window", "max_target_length=24")
    assert (result.code, "long=window" in result.err) == (2, True)
    assert "error BW124" in result.err


def test_inspect_shows_what_is_to_be_written(command: Command, numbers: Path) -> None:
    words = ("--task", "seq2seq", "--model", numbers / "vocab")
    result = command("inspect", numbers / "train.tsv", "--dev", numbers / "test.tsv", *words)
    assert result.code == 0, result.err
    first = (numbers / "train.tsv").read_text(encoding="utf-8").splitlines()
    assert any(f"to be written: {line.split()[1]}" in result.out for line in first[:2])


def test_the_loss_does_not_depend_on_how_a_step_is_cut(numbers: Path) -> None:
    from bertwright.data.reading.text_pairs import read_pairs
    from bertwright.data.windows import Reading
    from bertwright.tasks.seq2seq import Seq2Seq
    from bertwright.tasks.seq2seq_settings import Seq2SeqSettings
    from bertwright.training.finetuning.preparation import prepare
    from bertwright.training.steps import ExampleSteps

    tokenizer = BertTokenizer.from_pretrained(numbers / "vocab")
    settings = Seq2SeqSettings(shape="tiny", label_smoothing=0.1)
    task = Seq2Seq().with_settings(settings).bound(tokenizer)
    examples = read_pairs(numbers / "train.tsv", labelled=True).examples[:16]
    data = prepare(task, tokenizer, examples, Reading(32, "head", 0))
    torch.manual_seed(0)
    net = task.starting_model(numbers / "vocab", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    found = []
    for micro in (10_000, 40):
        parts = list(ExampleSteps(data, 16, 1).parts(0, micro))
        net.zero_grad()
        total = 0.0
        for part in parts:
            assert part.num_tokens <= micro or part.batch.batch_size == 1
            assert isinstance(part.targets, WrittenBatch)
            measures = task.loss(net, part.batch, part.targets, part.weights)
            measures["loss"].backward()
            total += float(measures["loss"].detach())
        gradient = net.get_parameter("decoder.cls.predictions.transform.dense.weight").grad
        assert gradient is not None
        found.append((len(parts), total, gradient.clone()))
    (one, whole, gradient), (many, added, other) = found
    assert one == 1 < many
    assert added == pytest.approx(whole, rel=1e-5)
    torch.testing.assert_close(other, gradient, rtol=1e-4, atol=1e-6)


def test_weights_that_are_no_numbers_write_nothing(run: Path, tmp_path: Path) -> None:
    folder = broken_copy(run / "best", tmp_path / "broken", BertForSeq2SeqLM)
    for beams in (1, 2):
        predictor = Predictor.load(folder).answering([f"num_beams={beams}"])
        with pytest.raises(BertwrightError, match="BW526.*LayerNorm"):
            predictor("1 2")
