"""The whole walk: labelled texts, a run, its scores, its answers."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from bertwright import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer, Predictor, finetune
from bertwright.data.examples import Example, Where
from bertwright.data.ragged import Ragged
from bertwright.data.windows import encode_examples

from .conftest import Command, write_csv


def test_finetune_evaluate_predict(
    command: Command, tiny_model: Path, train_csv: Path, dev_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    result = command(
        "finetune", train_csv, "--dev", dev_csv, "--model", tiny_model, "--out", out, "epochs=2", "learning_rate=3e-3"
    )
    assert result.code == 0, result.err
    assert "best after epoch" in result.out
    assert "negative" in result.out, "the confusion table names the classes"
    assert "train.csv (utf-8): 300 examples, text from 'text', labels from 'label'" in result.err
    assert "epoch 2/2" in result.err
    assert {path.name for path in out.iterdir()} == {
        "best", "last", "run.json", "metrics.csv", "predictions.jsonl", "errors.csv", "README.md",
        "loss.png", "confusion.png", "reliability.png",
    }  # fmt: skip
    for name in ("best", "last"):
        files = {path.name for path in (out / name).iterdir()}
        assert files >= {
            "config.json",
            "model.safetensors",
            "vocab.txt",
            "tokenizer.json",
            "task.json",
            "manifest.json",
        }
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["finished"]
    assert record["settings"]["learning_rate"] == 3e-3
    assert record["train_examples"] == 300
    with (out / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    best = max(float(row["dev_accuracy"]) for row in rows)

    scores = json.loads(command("evaluate", out, dev_csv, "--json").out)
    assert scores["scores"]["accuracy"] == pytest.approx(best, abs=1e-6)

    result = command("predict", out, "--input", dev_csv, "--output", tmp_path / "answers.jsonl")
    assert result.code == 0
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    with dev_csv.open(encoding="utf-8", newline="") as file:
        gold = list(csv.DictReader(file))
    assert [answer["text"] for answer in answers] == [row["text"] for row in gold]
    right = np.mean([answer["label"] == row["label"] for answer, row in zip(answers, gold)])
    assert right == pytest.approx(best, abs=1e-6)
    for answer in answers:
        assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-5)
        assert answer["score"] == max(answer["scores"].values()) == answer["scores"][answer["label"]]


def test_without_a_dev_set_a_part_is_held_out_and_said(
    command: Command, tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    result = command("finetune", train_csv, "--model", tiny_model, "--out", tmp_path / "run", "epochs=1")
    assert result.code == 0, result.err
    assert "no dev set given: 30 of 300 examples held out" in result.err


def test_the_answer_does_not_depend_on_company_or_order(run: Path, sentences: list[tuple[str, str]]) -> None:
    texts = [text for text, _ in sentences[:90]]
    predictor = Predictor.load(run)
    together = predictor(texts)
    backwards = predictor(texts[::-1])[::-1]
    for text, answer, other in zip(texts, together, backwards):
        alone = predictor(text).to_json()
        assert answer.to_json()["scores"] == pytest.approx(alone["scores"], abs=1e-5)
        assert other.to_json()["scores"] == pytest.approx(alone["scores"], abs=1e-5)


def test_a_long_text_is_read_whole_in_windows(run: Path) -> None:
    predictor = Predictor.load(run)
    long = "a great day " * 40 + "a bad film " * 40
    answer = predictor(long)
    assert not answer.truncated
    encoded = encode_examples(predictor.tokenizer, [Example(long, None, Where("x", 1))], predictor.reading)
    assert encoded.inputs_of.tolist() == [5]
    model = predictor.model
    assert model is not None
    with torch.inference_mode():
        mean = torch.cat([model.scores(Ragged.from_encoded([one])) for one in encoded.inputs]).mean(0)
    assert list(answer.to_json()["scores"].values()) == pytest.approx(mean.softmax(-1).tolist(), abs=1e-5)


def test_a_text_that_was_cut_says_so(tiny_model: Path, train_csv: Path, tmp_path: Path) -> None:
    finetune(train_csv, model=tiny_model, out=tmp_path / "run", epochs=1, long="head")
    short, long = Predictor.load(tmp_path / "run")(["a great day", "a great day " * 100])
    assert not short.truncated
    assert long.truncated


def test_cut_tokens_are_counted_before_training(
    caplog: pytest.LogCaptureFixture, tiny_model: Path, sentences: list[tuple[str, str]], tmp_path: Path
) -> None:
    rows = [*sentences[:60], ("good " * 200, "positive")]
    with caplog.at_level("INFO", "bertwright"):
        finetune(rows, sentences[100:130], model=tiny_model, out=tmp_path / "run", epochs=1, long="head")
    assert "train: 1 of 61 texts are cut at 64 tokens (long=head); 138 tokens" in caplog.text


def test_transformers_opens_the_model_of_a_run_with_equal_scores(run: Path) -> None:
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(run / "best").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "best")
    ours = Predictor.load(run)
    texts = ["a great day", "这家店的服务太差了", "the food was cold and the waiter was rude"]
    with torch.inference_mode():
        logits = theirs(**tokenizer(texts, padding=True, return_tensors="pt")).logits
    for row, answer in zip(logits.softmax(-1), ours(texts)):
        named = dict(zip(theirs.config.id2label.values(), row.tolist()))
        assert answer.to_json()["scores"] == pytest.approx(named, abs=2e-6)


def test_equal_seeds_give_equal_weights_and_others_do_not(tiny_model: Path, train_csv: Path, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(hash(name) % 1000)  # whatever the caller did with the generator before
        finetune(train_csv, model=tiny_model, out=tmp_path / name, epochs=1, seed=seed)
        weights.append(load_file(tmp_path / name / "last" / "model.safetensors"))
    first, same, other = weights
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_a_model_learns_what_is_there_to_learn(tiny_model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    fillers = ["the", "a", "is", "was", "film", "room", "and"]

    def row() -> tuple[str, str]:
        label = ["negative", "positive"][rng.integers(2)]
        words = [*rng.choice(fillers, size=rng.integers(2, 9)), "bad" if label == "negative" else "good"]
        return " ".join(rng.permutation(words)), label

    run = finetune(
        [row() for _ in range(400)],
        [row() for _ in range(100)],
        model=tiny_model,
        out=tmp_path / "run",
        epochs=6,
        learning_rate=3e-3,
    )
    assert run.outcome.best.scores["accuracy"] >= 0.98


def test_ctrl_c_stops_with_a_word_and_leaves_whole_checkpoints(
    tiny_model: Path, train_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ["finetune", train_csv, "--model", tiny_model, "--out", out, "epochs=10000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bertwright", *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"BERTWRIGHT_LANG": "en"},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 3/"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopped" in err
    assert "Traceback" not in err
    assert not [path for path in out.rglob("*") if path.name.endswith(".tmp")]
    assert Predictor.load(out)("good").to_json()["label"] in ("negative", "positive")


@pytest.fixture
def hub_cache(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local cache that holds `google-bert/bert-base-uncased`, a small stand-in with the real layout."""
    entry = tmp_path / "hub" / "models--google-bert--bert-base-uncased"
    snapshot = entry / "snapshots" / "86b5e0934494bd15c9632b12f734a8a67f723594"
    snapshot.mkdir(parents=True)
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text(snapshot.name, encoding="utf-8")
    config = BertConfig.from_pretrained(tiny_model)
    BertModel(config).save_pretrained(snapshot)
    BertTokenizer.from_pretrained(tiny_model).save_pretrained(snapshot)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("folder_or_name", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_the_program_of_the_design_on_a_cached_name(folder_or_name: str, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = BertTokenizer.from_pretrained(folder_or_name)
    model = BertForSequenceClassification.from_pretrained(folder_or_name)
    inputs = tokenizer("This is a great movie!", return_tensors="pt")
    predicted_class_id = model(**inputs).logits.argmax(-1).item()
    assert predicted_class_id in (0, 1)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert "classifier" in caplog.text


def test_the_program_of_the_design_on_the_real_checkpoint(minilm: Path) -> None:
    tokenizer = BertTokenizer.from_pretrained(minilm)
    model = BertForSequenceClassification.from_pretrained(minilm)
    inputs = tokenizer("This is a great movie!", return_tensors="pt")
    predicted_class_id = model(**inputs).logits.argmax(-1).item()
    assert predicted_class_id in (0, 1)


@pytest.mark.slow
def test_sst2_is_learnt_from_real_weights(minilm: Path, real_data: Path, tmp_path: Path) -> None:
    sst2 = real_data / "en" / "sst2"
    rows = [line.split("\t") for line in (sst2 / "train.tsv").read_text(encoding="utf-8").splitlines()[1:4001]]
    part = write_csv(tmp_path / "train.csv", rows)
    run = finetune(part, sst2 / "dev.tsv", model=minilm, out=tmp_path / "run", epochs=1, max_length=128)
    assert run.outcome.best.scores["accuracy"] > 0.8  # seen: 0.815 to 0.822


def test_the_demo_ends_with_two_answers(command: Command, tmp_path: Path) -> None:
    result = command("demo", "--epochs", 1, "--out", tmp_path / "demo")
    assert result.code == 0, result.err
    assert "480 sentences to learn from, 120 to check with" in result.out
    answers = [line for line in result.out.splitlines() if "→" in line]
    assert len(answers) == 2
    assert all(re.search(r"→  (negative|positive) \(0\.\d{3}\)", line) for line in answers)
