"""`bertwright compare`: two runs on the same rows."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.data.reading.tables import Columns, Table
from bertwright.evaluation.summary import Answers
from bertwright.inference.compare import compare
from bertwright.tasks.class_comparison import ClassComparison, DifferingClass, compare_classes

from .conftest import Command, write_csv


@pytest.fixture(scope="session")
def other_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, train_csv: Path, dev_csv: Path) -> Path:
    from bertwright import finetune

    out = tmp_path_factory.mktemp("runs") / "second"
    finetune(train_csv, dev_csv, model=tiny_model, out=out, epochs=6, learning_rate=3e-3, seed=6)
    return out


def test_a_run_against_itself(command: Command, run: Path, dev_csv: Path) -> None:
    result = command("compare", run, run, dev_csv)
    assert result.code == 0, result.err
    assert "no difference: both give the same answer to each of the 100 rows" in result.out
    values = json.loads(command("compare", run, run, dev_csv, "--json").out)
    assert values["rows"] == []
    for metric in values["metrics"].values():
        assert metric["difference"] == 0
        assert metric["p_value"] == 1


def test_two_runs(command: Command, run: Path, other_run: Path, dev_csv: Path, tmp_path: Path) -> None:
    result = command("compare", run, other_run, dev_csv, "--json", "--output", tmp_path / "rows.csv")
    assert result.code == 0, result.err
    values = json.loads(result.out)
    right = values["right"]
    assert sum(right.values()) == values["examples"] == 100
    for name, where in (("a", run), ("b", other_run)):
        alone = json.loads(command("evaluate", where, dev_csv, "--json").out)
        assert alone["metrics"].keys() - values["metrics"].keys() == {
            "roc_auc",
            "average_precision",
        }  # of `evaluate` alone
        for metric in values["metrics"]:
            one = alone["metrics"][metric]
            assert values["metrics"][metric][name] == pytest.approx(one["value"])
    difference = values["metrics"]["accuracy"]
    assert difference["difference"] == pytest.approx((right["only_b"] - right["only_a"]) / 100)
    assert (tmp_path / "rows.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["where"] for row in rows] == [row["where"] for row in values["rows"]]
    assert all(row["a"] != row["b"] for row in rows)
    assert sum(row["right"] == "A" for row in rows) == right["only_a"]
    assert sum(row["right"] == "B" for row in rows) == right["only_b"]
    text = command("compare", run, other_run, dev_csv, "--show-rows", 1).out
    assert values["verdict"] in text
    assert text.count("true: ") == min(1, len(rows))


def test_other_labels_are_refused_with_their_names(
    command: Command, run: Path, tiny_model: Path, tmp_path: Path, dev_csv: Path
) -> None:
    data = write_csv(tmp_path / "stars.csv", [("good", "5"), ("bad", "1"), ("so so", "3")] * 4)
    assert command("finetune", data, "--model", tiny_model, "--out", tmp_path / "stars", "epochs=1").code == 0
    result = command("compare", run, tmp_path / "stars", dev_csv)
    assert result.code == 2
    assert "error BW520" in result.err
    assert "negative, positive" in result.err
    assert "1, 3, 5" in result.err


def test_the_order_of_the_labels_does_not_matter(run: Path, dev_csv: Path, tmp_path: Path) -> None:
    """The same model with its classes turned round gives the same answers."""
    turned = shutil.copytree(run / "best", tmp_path / "turned")
    (turned / "manifest.json").unlink()
    weights = load_file(turned / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name].flip(0).contiguous()
    save_file(weights, turned / "model.safetensors", {"format": "pt"})
    for name, key in (("task.json", "labels"), ("config.json", "id2label")):
        values = json.loads((turned / name).read_text(encoding="utf-8"))
        if key == "labels":
            values[key] = values[key][::-1]
        else:
            values[key] = dict(zip(values[key], list(values[key].values())[::-1]))
            values["label2id"] = {label: int(index) for index, label in values[key].items()}
        (turned / name).write_text(json.dumps(values), encoding="utf-8")
    comparison = compare(run, turned, dev_csv)
    assert isinstance(comparison, ClassComparison)
    assert comparison.rows == []
    assert comparison.calibration_a.nll == pytest.approx(comparison.calibration_b.nll, abs=1e-6)


def compared(right_a: np.ndarray, right_b: np.ndarray, headline: str = "accuracy") -> ClassComparison:
    """Answers to as many rows of two classes, given by who is right where."""
    gold = np.arange(len(right_a)) % 2

    def answers(right: np.ndarray) -> Answers:
        predicted = np.where(right, gold, 1 - gold)
        return Answers(("no", "yes"), gold, predicted, np.eye(2)[predicted] * 0.8 + 0.1)

    examples = [Example(f"text {i}", Label(("no", "yes")[label]), Where("t.csv", i)) for i, label in enumerate(gold)]
    return compare_classes(answers(right_a), answers(right_b), Table(examples, "t.csv", Columns()), headline)


def test_the_verdict_is_one_plain_sentence() -> None:
    rows = np.arange(1000)
    better = compared(rows >= 150, rows >= 100)
    assert better.verdict().startswith("B is better: +5.0 points [3.")
    assert better.verdict().endswith("], p < 0.001")
    worse = compared(rows >= 100, rows >= 150)
    assert worse.verdict().startswith("A is better: +5.0 points [3.")
    same = compared(rows % 100 >= 10, rows % 100 < 90)
    assert same.verdict().startswith("no difference can be shown with 1,000 rows (B - A: +0.0 points [")
    assert same.verdict().endswith("p = 1.000); about 16,000 rows would be needed to show 1 point of accuracy")
    matthews = compared(rows >= 150, rows >= 100, "mcc")
    assert " mcc, p < 0.001" in matthews.verdict()
    many = np.arange(40_000)
    plenty = compared(many % 400 >= 10, many % 400 < 390)
    assert "would probably have been seen" in plenty.verdict()


def test_who_is_right_where() -> None:
    a, b = np.array([True, True, False, False, True]), np.array([True, False, True, False, True])
    found = compared(a, b)
    assert (found.both, found.only_a, found.only_b, found.neither) == (2, 1, 1, 1)
    differing = [row for row in found.rows if isinstance(row, DifferingClass)]
    assert len(differing) == len(found.rows)
    assert [(row.example.text, row.right) for row in differing] == [("text 1", "A"), ("text 2", "B")]


def test_a_task_without_labels_is_refused(monkeypatch: pytest.MonkeyPatch, run: Path, dev_csv: Path) -> None:
    from bertwright.errors import BertwrightError
    from bertwright.inference.predictor import Predictor
    from bertwright.tasks.fill_mask import FillMask

    predictor = replace(Predictor.load(run), task=FillMask())
    monkeypatch.setattr(Predictor, "load", lambda *_, **__: predictor)
    with pytest.raises(BertwrightError, match=r"BW145.*pre-trained"):
        compare(run, run, dev_csv)
