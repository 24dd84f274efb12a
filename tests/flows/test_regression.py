"""A number for each text: reading, learning, answering, judging, comparing, going on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from scipy import stats

from bertwright import Predictor, finetune
from bertwright.data.examples import Example, Where, digest_of
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.evaluation.correlation import number_estimates, number_scores, ranks
from bertwright.inference.compare import compare
from bertwright.inference.evaluate import evaluate
from bertwright.tasks.regression import Regression, Value, ValuePrediction

from .conftest import Command, write_csv

MOODS = {"positive": 31.5, "negative": -8.25}
QUICK: dict[str, Any] = {"epochs": 8, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32", "seed": 3}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, sentences: list[tuple[str, str]]) -> tuple[Path, Path]:
    """Sentences whose value is far from what a fresh head gives, with a little of their length in it."""
    rows = [(text, f"{MOODS[label] + len(text) / 20:.2f}") for text, label in sentences]
    folder = tmp_path_factory.mktemp("values")
    header = ("text", "score")
    return write_csv(folder / "train.csv", rows[::2], header), write_csv(folder / "dev.csv", rows[1::6], header)


@pytest.fixture(scope="module")
def valued(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, files: tuple[Path, Path]) -> Path:
    out = tmp_path_factory.mktemp("runs") / "valued"
    finetune(*files, model=tiny_model, out=out, task="regression", **QUICK)
    return out


def example(number: float | None, text_b: str | None = None) -> Example:
    return Example("a text", None if number is None else Value(number), Where("d", 1), text_b)


def test_a_run_learns_and_tells(valued: Path, files: tuple[Path, Path], command: Command) -> None:
    record = json.loads((valued / "run.json").read_text(encoding="utf-8"))
    assert list(record["best_scores"]) == ["mse", "pearson", "spearman"]
    assert record["best_scores"]["pearson"] > 0.3
    lines = (valued / "metrics.csv").read_text(encoding="utf-8").splitlines()
    at = lines[0].split(",").index("dev_mse")
    errors = [float(line.split(",")[at]) for line in lines[1:]]
    assert record["best_scores"]["mse"] == pytest.approx(min(errors), rel=1e-5), "the lowest error is the best"
    card = (valued / "README.md").read_text(encoding="utf-8")
    for part in ("| Pearson's r | 0.", "![true values against predicted ones](scatter.png)", "| predicted |",
                 "BERT for regression", "Its score is times"):  # fmt: skip
        assert part in card, part
    assert (valued / "scatter.png").read_bytes().startswith(b"\x89PNG")
    answers = [json.loads(line) for line in (valued / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"where", "text", "gold", "value", "truncated"} == set(answers[0])
    gold, given = (np.array([row[name] for row in answers]) for name in ("gold", "value"))
    assert record["best_scores"]["mse"] == pytest.approx(((gold - given) ** 2).mean(), rel=1e-4)
    wrong = (valued / "errors.csv").read_text(encoding="utf-8-sig").splitlines()
    assert wrong[0] == "where,text,gold,truncated,predicted,error"


def test_every_verb(valued: Path, files: tuple[Path, Path], command: Command) -> None:
    _, dev = files
    values = json.loads(command("evaluate", valued, dev, "--json", "--show-errors", 2).out)
    assert values["metrics"]["pearson"]["low"] < values["scores"]["pearson"] < values["metrics"]["pearson"]["high"]
    errors = [abs(row["error"]) for row in values["errors"]]
    assert errors == sorted(errors, reverse=True)
    told = command("evaluate", valued, dev, "--show-errors", 1).out
    assert "mean squared error" in told
    assert "standard deviation" in told
    answer = json.loads(command("predict", valued, "This is a great movie!").out)
    assert set(answer) == {"text", "value", "truncated"}
    assert answer["value"] > json.loads(command("predict", valued, "It was cold and slow.").out)["value"]
    seen = command("inspect", dev, "--task", "regression", "--model", valued / "best").out
    assert "dev: values from" not in seen
    assert ": values from -" in seen
    assert ", of the value " in seen
    document = json.loads(command("inspect", dev, "--task", "regression", "--json").out)
    assert document["train"]["answers"][0].startswith("values from")
    assert isinstance(document["example"]["value"], float)


def test_transformers_opens_it(valued: Path) -> None:
    task = json.loads((valued / "best" / "task.json").read_text(encoding="utf-8"))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(valued / "best")
    tokenizer = transformers.AutoTokenizer.from_pretrained(valued / "best")
    assert model.config.problem_type == "regression"
    text = "This is a great movie!"
    with torch.no_grad():
        output = model(**tokenizer(text, return_tensors="pt")).logits.item()
    ours = Predictor.load(valued)(text)
    assert ours.value == pytest.approx(task["mean"] + task["spread"] * output, rel=1e-4)


def test_the_scores_are_those_of_scipy() -> None:
    draw = np.random.default_rng(0)
    gold = np.round(draw.normal(3e6, 2, 200), 1)  # far from zero, and with equal values
    given = gold + draw.normal(0, 1, 200)
    scores = number_scores(gold, given)
    assert scores["pearson"] == pytest.approx(stats.pearsonr(gold, given)[0], abs=1e-9)
    assert scores["spearman"] == pytest.approx(stats.spearmanr(gold, given)[0], abs=1e-9)
    assert scores["mse"] == pytest.approx(((gold - given) ** 2).mean())
    assert ranks(gold).tolist() == stats.rankdata(gold).tolist()
    assert number_scores(gold, np.zeros(200))["pearson"] == 0, "what does not vary goes with nothing"


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    draw, inside = np.random.default_rng(1), 0
    for _ in range(100):
        both = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 150)
        estimate = number_estimates(both[:, 0], both[:, 1])["pearson"]
        assert estimate.low is not None
        assert estimate.high is not None
        inside += estimate.low <= 0.6 <= estimate.high
    assert 87 <= inside <= 100  # 95 of 100; below 87 by chance once in a thousand


def test_values_come_from_labels() -> None:
    rows = [("a", "3.5"), ("b", "-2"), ("c", "1e3")]
    table = Regression.read(rows, labelled=True)
    assert [one.answer for one in table.examples] == [Value(3.5), Value(-2.0), Value(1000.0)]
    task = Regression.from_examples(table.examples, "x")
    assert (task.mean, task.spread) == pytest.approx((1001.5 / 3, np.std([3.5, -2, 1000])))
    assert Regression.from_json(task.to_json()) == task
    assert digest_of(table.examples) != digest_of(table.examples[::-1])
    for bad, code in (("three", "BW213"), ("inf", "BW213"), ("3,5", "BW213"), ("nan", "BW211"), ("", "BW211")):
        with pytest.raises(BertwrightError, match=code):
            Regression.from_examples(Regression.read([("a", "1"), ("b", bad)], labelled=True).examples, "x")


@pytest.mark.parametrize(
    ("examples", "code"),
    [
        ([example(2.0), example(2.0)], "BW214"),
        ([example(2.0), example(None)], "BW211"),
        ([example(2.0), example(3.0, "second")], "BW581"),
    ],
)
def test_data_that_cannot_be_learnt(examples: list[Example], code: str) -> None:
    with pytest.raises(BertwrightError, match=code):
        Regression.from_examples(examples, "d")


def test_a_model_that_answers_one_value_to_all_has_collapsed() -> None:
    task, examples = Regression(0.0, 1.0), [example(float(value)) for value in range(20)]
    alike = [ValuePrediction(False, 9.5 + index / 1000) for index in range(20)]
    assert task.only_answer(alike, examples) == "9.509"
    assert task.only_answer([ValuePrediction(False, float(index)) for index in range(20)], examples) is None


def test_going_on_gives_the_same_model(tiny_model: Path, files: tuple[Path, Path], tmp_path: Path) -> None:
    from .killed_jobs import ending

    options: dict[str, Any] = {"model": tiny_model, "task": "regression", **QUICK, "epochs": 2}
    finetune(*files, out=tmp_path / "whole", **options)
    with pytest.MonkeyPatch.context() as patch:
        from bertwright.runs.run_folder import RunFolder

        keep = RunFolder.keep_as_best

        def interrupted(self: RunFolder, source: Path) -> None:
            keep(self, source)
            raise KeyboardInterrupt

        patch.setattr(RunFolder, "keep_as_best", interrupted)
        with pytest.raises(KeyboardInterrupt):
            finetune(*files, out=tmp_path / "parts", **options)
    finetune(*files, out=tmp_path / "parts", resume=True, **options)
    whole, parts = ending(tmp_path / "whole"), ending(tmp_path / "parts")
    assert [name for name in whole if whole[name] != parts.get(name)] == []


def test_two_runs_are_compared(
    valued: Path, tiny_model: Path, files: tuple[Path, Path], tmp_path: Path, command: Command, run: Path
) -> None:
    weak = tmp_path / "weak"
    finetune(*files, model=tiny_model, out=weak, task="regression", **QUICK | {"epochs": 1, "max_steps": 2})
    found = compare(weak, valued, files[1])
    pearson = found.differences["pearson"]
    assert pearson.b == pytest.approx(evaluate(valued, files[1]).scores["pearson"])
    assert pearson.is_shown
    assert found.verdict().startswith("B is better: +")
    assert "] pearson, p" in found.verdict()
    told = command("compare", weak, valued, files[1], "--output", tmp_path / "rows.csv").out
    assert "closer to the true value" in told
    assert (tmp_path / "rows.csv").read_text(encoding="utf-8-sig").splitlines()[0] == "where,gold,a,b,text"
    assert compare(valued, valued, files[1]).verdict().startswith("no difference: both give the same answer")
    with pytest.raises(BertwrightError, match="BW580"):
        compare(run, valued, files[1])


def test_pairs_and_named_columns(tiny_model: Path, sentences: list[tuple[str, str]], tmp_path: Path) -> None:
    rows = [(a, b, str(len(a) / 10), "x") for (a, _), (b, _) in zip(sentences[:60], sentences[60:120])]
    file = write_csv(tmp_path / "pairs.csv", rows, ("sentence1", "sentence2", "likeness", "note"))
    run = finetune(
        file, model=tiny_model, out=tmp_path / "run", task="regression", columns=Columns(label="likeness"), max_steps=2
    )
    assert Predictor.load(run.folder)([("a", "b")])[0].to_json().keys() == {"value", "truncated"}
    with pytest.raises(BertwrightError, match="BW582"):
        Predictor.load(run.folder)("one text")
