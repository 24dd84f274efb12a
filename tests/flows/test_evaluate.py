"""`bertwright evaluate`: its numbers are scikit-learn's, and everything it says can be had as JSON."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from bertwright import finetune
from bertwright.cli.printed_tables import print_classes, print_tables
from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where, label_of
from bertwright.errors import BertwrightError
from bertwright.inference.evaluate import evaluate, score
from bertwright.inference.predictor import Predictor
from bertwright.tasks.classification import Classification, ClassPrediction
from bertwright.tasks.judged import ScoreTable

from .conftest import Command, write_csv


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_labels_are_those_of_the_model_whatever_they_look_like(tmp_path: Path, tiny_model: Path) -> None:
    rows = [("good", "+", 1), ("bad", "-", 2), ("so", "0", 3)] * 4
    settings: dict[str, Any] = {"model": tiny_model, "max_steps": 1}
    marks = finetune([(text, mark) for text, mark, _ in rows], out=tmp_path / "marks", **settings).folder
    assert len(evaluate(marks, [("bad", "-"), ("so", "0"), ("worse", "-")]).examples) == 3, "no row is left out"
    numbers = [(text, "beta" if number == 3 else f"{number}.5") for text, _, number in rows]
    beside = finetune(numbers, [("good", "1.5"), ("bad", "2.5")], out=tmp_path / "numbers", **settings).folder
    assert len(evaluate(beside, [("good", "1.5"), ("bad", "2.5")]).examples) == 2
    with pytest.raises(BertwrightError, match="BW209.*'2.0'"):
        evaluate(beside, [("good", "1.5"), ("bad", "2.0")])
    whole = finetune([(text, number) for text, _, number in rows], out=tmp_path / "whole", **settings).folder
    assert [label_of(one) for one in evaluate(whole, [("good", "1.0"), ("bad", "2")]).examples] == ["1", "2"]


def test_cut_texts_are_told(command: Command, train_csv: Path, dev_csv: Path, tiny_model: Path, tmp_path: Path) -> None:
    words = (
        "--dev",
        dev_csv,
        "--model",
        tiny_model,
        "--out",
        tmp_path / "run",
        "long=head",
        "max_length=8",
        "max_steps=1",
    )
    assert command("finetune", train_csv, *words).code == 0
    data = write_csv(tmp_path / "data.csv", [("good " * 20, "positive"), ("bad", "negative")])
    told = "warning: 1 text cut to 8 tokens (long=head) and scored so"
    assert told in command("evaluate", tmp_path / "run", data).err
    assert command("compare", tmp_path / "run", tmp_path / "run", data).err.count(told) == 2


def test_predictions_go_where_a_link_leads_and_into_a_pipe(
    command: Command, run: Path, dev_csv: Path, tmp_path: Path
) -> None:
    there = tmp_path / "elsewhere" / "answers.jsonl"
    there.parent.mkdir()
    there.write_text("old", encoding="utf-8")
    (tmp_path / "link.jsonl").symlink_to(there)
    assert command("evaluate", run, dev_csv, "--predictions", tmp_path / "link.jsonl").code == 0
    assert (tmp_path / "link.jsonl").is_symlink()
    assert len(read_jsonl(there)) == 100
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    assert command("evaluate", run, dev_csv, "--predictions", tmp_path / "pipe").code == 0
    reader.join(60)
    assert read == [there.read_bytes()]
    assert (tmp_path / "pipe").is_fifo()


def test_long_names_of_classes_are_read_whole(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"ORGANISATION-GOVERNMENTAL-{end}" for end in ("NATIONAL", "REGIONAL")]
    print_tables([ScoreTable("types", ("type", *"abcdefgh"), tuple((name, *["0.5555"] * 8) for name in names))])
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert shown.replace("\n", "").count("0.55") == 16


def test_numbers_are_those_of_scikit_learn_on_the_written_predictions(
    command: Command, run: Path, dev_csv: Path, tmp_path: Path
) -> None:
    result = command("evaluate", run, dev_csv, "--json", "--predictions", tmp_path / "answers.jsonl")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    rows = read_jsonl(tmp_path / "answers.jsonl")
    assert report["examples"] == len(rows) == 100
    gold, predicted = ([row[name] for row in rows] for name in ("gold", "predicted"))
    sure = np.array([row["scores"]["positive"] for row in rows])
    expected = {
        "accuracy": metrics.accuracy_score(gold, predicted),
        "macro_f1": metrics.f1_score(gold, predicted, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(gold, predicted, average="weighted", zero_division=0),
        "micro_f1": metrics.f1_score(gold, predicted, average="micro", zero_division=0),
        "f1": metrics.f1_score(gold, predicted, pos_label="positive", zero_division=0),
        "mcc": metrics.matthews_corrcoef(gold, predicted),
    }
    values = {name: one["value"] for name, one in report["metrics"].items()}
    truth = np.array(gold) == "positive"  # the written scores have six digits, so that a few more of them are equal
    assert values.pop("roc_auc") == pytest.approx(metrics.roc_auc_score(truth, sure), abs=2e-3)
    assert values.pop("average_precision") == pytest.approx(metrics.average_precision_score(truth, sure), abs=2e-3)
    assert values == pytest.approx(expected)
    assert report["positive_class"] == "positive"
    assert report["confusion"]["labels"] == ["negative", "positive"]
    matrix = metrics.confusion_matrix(gold, predicted, labels=["negative", "positive"])
    assert report["confusion"]["rows_true_columns_predicted"] == matrix.tolist()
    for name, value in report["scores"].items():
        assert value == pytest.approx(expected[name])
    assert report["calibration"]["temperature"] > 0
    given = report["calibration"]["before" if "fitted" in report["calibration"]["temperature_from"] else "after"]
    assert given["nll"] == pytest.approx(metrics.log_loss(gold, sure, labels=["negative", "positive"]), abs=1e-4)
    assert given["brier"] == pytest.approx(2 * metrics.brier_score_loss(gold, sure, pos_label="positive"), abs=1e-4)
    assert rows[0]["where"] == f"{dev_csv}:2"


def test_what_a_person_reads(command: Command, run: Path, dev_csv: Path) -> None:
    result = command("evaluate", run, dev_csv, "--show-errors", 2)
    assert result.code == 0, result.err
    for part in ("100 examples", "accuracy", "95 % interval", "ECE", "temperature", "negative", "recall"):
        assert part in result.out
    assert result.out.count("true: ") == 2
    assert f"{dev_csv}:" in result.out, "a wrong answer says where it stands"
    assert "100 examples" in result.err, "how the data was read is said on stderr"


def test_a_threshold_is_said_where_one_reaches_the_accuracy(
    command: Command, run: Path, sentences: list[tuple[str, str]], tmp_path: Path
) -> None:
    texts = [text for text, _ in sentences[:20]]
    answered = [prediction.label for prediction in Predictor.load(run)(texts)]
    other = {"positive": "negative", "negative": "positive"}
    right = write_csv(tmp_path / "right.csv", list(zip(texts, answered)))
    wrong = write_csv(tmp_path / "wrong.csv", [(text, other[label]) for text, label in zip(texts, answered)])
    reached, missed = (command("evaluate", run, data, "--abstain-accuracy", 0.6).out for data in (right, wrong))
    assert "answers with a score of at least" in reached
    assert "no threshold" not in reached
    assert "no threshold on the score reaches an accuracy of 0.6" in missed
    assert "answers with a score" not in missed


def test_a_temperature_changes_the_calibration_and_no_score(run: Path, dev_csv: Path) -> None:
    plain = evaluate(run, dev_csv)
    predictor = Predictor.load(run)
    assert isinstance(predictor.task, Classification)
    predictor = replace(predictor, task=replace(predictor.task, temperature=2.0))
    report = score(predictor, plain.table)
    assert report.scores == plain.scores
    assert report.judged.calibration is not None
    assert plain.judged.calibration is not None
    calibration, before = report.judged.calibration, plain.judged.calibration.before
    assert (calibration.temperature, calibration.is_fitted_here) == (2.0, False)
    assert calibration.before.to_json() == pytest.approx(before.to_json(), abs=1e-6)
    assert calibration.after.nll != pytest.approx(before.nll, abs=1e-6)


def test_errors_and_threshold_as_json_agree_with_the_predictions(
    command: Command, run: Path, dev_csv: Path, tmp_path: Path
) -> None:
    words = ("--json", "--show-errors", 1000, "--abstain-accuracy", 0.8, "--predictions", tmp_path / "a.jsonl")
    report = json.loads(command("evaluate", run, dev_csv, *words).out)
    rows = read_jsonl(tmp_path / "a.jsonl")
    wrong = [row for row in rows if row["gold"] != row["predicted"]]
    assert sorted(str(row["where"]) for row in report["errors"]) == sorted(str(row["where"]) for row in wrong)
    scores = [row["score"] for row in report["errors"]]
    assert scores == sorted(scores, reverse=True)
    threshold = report["abstention"]
    if threshold is not None:
        sure = [row for row in rows if row["score"] >= threshold["threshold"] - 1e-6]
        assert abs(len(sure) - threshold["answered"]) <= 1, "the file has six digits"
        assert threshold["accuracy"] >= 0.8
    assert json.loads(command("evaluate", run, dev_csv, "--json", "--abstain-accuracy", 1).out)["examples"] == 100


@pytest.mark.parametrize("value", [95, 0, -1, "nan"])
def test_an_accuracy_in_percent_is_refused_before_anything_is_computed(
    command: Command, tmp_path: Path, value: object
) -> None:
    result = command("evaluate", tmp_path / "none", tmp_path / "none.csv", "--abstain-accuracy", value)
    assert result.code == 2
    assert "error BW522" in result.err
    assert "0.95" in result.err


def test_a_label_that_the_model_does_not_know(command: Command, run: Path, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "test.csv", [("fine", "positive"), ("fine", "postive")])
    result = command("evaluate", run, data)
    assert result.code == 1
    assert "error BW209" in result.err
    assert "test.csv:3" in result.err


def test_a_file_that_cannot_be_written(command: Command, run: Path, dev_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = command("evaluate", run, dev_csv, "--predictions", tmp_path / "file" / "a.jsonl")
    assert result.code == 1
    assert "error BW501" in result.err


def test_one_example_is_enough(command: Command, run: Path, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "test.csv", [("a great day", "positive")])
    assert command("evaluate", run, data, "--show-errors", 3).code == 0
    assert json.loads(command("evaluate", run, data, "--json").out)["examples"] == 1


def test_rows_in_memory(run: Path, sentences: list[tuple[str, str]]) -> None:
    report = evaluate(run, [{"text": text, "label": label} for text, label in sentences[:20]])
    assert len(report.predictions) == 20


def test_many_classes_give_the_top_confusions_instead_of_a_wide_table(capsys: pytest.CaptureFixture[str]) -> None:
    confusion = np.eye(25, dtype=np.int64) * 5
    confusion[3, 7] = 4
    print_classes(confusion, [f"[class] {index}" for index in range(25)])
    out = capsys.readouterr().out
    assert "the most frequent confusions" in out
    assert "[class] 24" in out, "a name in brackets is no markup"
    names = [":a:", ":heart:", "[red]", "[/]"]
    print_classes(confusion[:4, :4], names)
    out = capsys.readouterr().out
    assert "columns: predicted" in out
    assert all(out.count(name) == 2 for name in names)
    print_tables([ScoreTable(":b: [red]", (":a:", "[/]"), ((":heart:", "[b]"),), "see :cat:")])
    out = capsys.readouterr().out
    assert all(text in out for text in (":b: [red]", ":a:", "[/]", ":heart:", "[b]", "see :cat:"))


def test_a_run_stores_its_temperature_and_gives_out_tempered_scores(run: Path, dev_csv: Path) -> None:
    predictor = Predictor.load(run)
    assert isinstance(predictor.task, Classification)
    stored = predictor.task.temperature
    report = evaluate(run, dev_csv)
    calibration = report.judged.calibration
    assert calibration is not None
    assert stored == json.loads((run / "best" / "task.json").read_text(encoding="utf-8"))["temperature"]
    if stored != 1:
        assert calibration.temperature == pytest.approx(stored)
    with_it = report.predictions[0].to_json()["scores"]
    flat = replace(predictor, task=replace(predictor.task, temperature=3 * stored))
    flatter = flat.answer(report.examples[:1])[0].to_json()
    assert flatter["label"] == report.predictions[0].to_json()["label"]
    assert max(flatter["scores"].values()) < max(with_it.values())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_card_and_evaluate_say_the_same_of_the_dev_set(
    tiny_model: Path, train_csv: Path, dev_csv: Path, tmp_path: Path, precision: str, command: Command
) -> None:
    out = tmp_path / "run"
    run = finetune(
        train_csv, dev_csv, model=tiny_model, out=out, precision=precision, epochs=2, learning_rate=3e-3, seed=5
    )
    report = evaluate(out, dev_csv)
    assert report.seen == "dev"
    assert report.scores == run.outcome.best.scores
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["best_scores"] == report.scores
    assert report.to_json()["calibration"] == run.judged.details["calibration"]
    given = [json.loads(line) for line in (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["score"] for one in given] == [round(one.score, 6) for one in report.predictions]  # type: ignore[attr-defined]
    answered = command("predict", out, "--input", dev_csv)
    assert [json.loads(line)["score"] for line in answered.out.splitlines()] == [one["score"] for one in given]


def test_data_that_the_run_has_seen_are_named(
    command: Command, run: Path, train_csv: Path, dev_csv: Path, tmp_path: Path
) -> None:
    seen = command("evaluate", run, dev_csv, "--json")
    assert "these are the dev set of" in seen.err
    assert json.loads(seen.out)["seen_in_training"] == "dev"
    assert "was trained on" in command("evaluate", run, train_csv).err
    assert "was trained on" in command("evaluate", run / "best", train_csv).err
    both = command("compare", run, run / "best", dev_csv)
    assert both.err.count("these are the dev set of") == 1
    other = write_csv(tmp_path / "other.csv", [("a great day", "positive"), ("a bad day", "negative")])
    fresh = command("evaluate", run, other, "--json")
    assert "these are" not in fresh.err
    assert json.loads(fresh.out)["seen_in_training"] is None


def test_a_file_of_which_a_part_was_held_out_is_named(tiny_model: Path, tmp_path: Path) -> None:
    rows = [("good", "p"), ("bad", "n"), ("fine", "p"), ("poor", "n")] * 5
    run = finetune(rows, model=tiny_model, out=tmp_path / "run", max_steps=1, seeds=(1, 2)).folder
    assert evaluate(run, rows).seen == "train"
    assert evaluate(run / "seed-2", rows).seen == "train"
    assert evaluate(run, rows[:7]).seen is None


def test_data_of_one_class_say_which_metrics_mean_nothing(
    command: Command, run: Path, sentences: list[tuple[str, str]], tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "one.csv", [row for row in sentences if row[1] == "positive"][:30])
    result = command("evaluate", run, data, "--json")
    report = json.loads(result.out)
    assert report["meaningless_metrics"] == ["macro_f1", "weighted_f1", "mcc", "f1"]
    assert report["classes_without_examples"] == ["negative"]
    told = "all examples are of the class 'positive': only the accuracy means something here"
    assert told in result.err
    assert "no example of: negative" in result.err
    assert told in command("compare", run, run, data).err


def test_classes_without_a_row_are_named_and_the_mean_is_that_of_scikit_learn() -> None:
    task = Classification(("a", "b", "c"))
    gold, given = ["a", "a", "b", "b"], ["a", "b", "b", "b"]
    examples = [Example("x", Label(label), Where("d.csv", i)) for i, label in enumerate(gold)]
    answers = [
        ClassPrediction(False, label, 0.9, {one: 0.9 if one == label else 0.05 for one in "abc"}) for label in given
    ]
    (gap,) = task.gaps(examples)
    assert gap.within("en").startswith("no example of: c; macro_f1 is the mean over the classes that occur")
    judged = task.judge(answers, examples)
    assert judged.scores["macro_f1"] == pytest.approx(metrics.f1_score(gold, given, average="macro"))
    assert (judged.details["meaningless_metrics"], judged.details["classes_without_examples"]) == ([], ["c"])
    assert "No example of: c." in judged.metrics_note


def test_seen_data_are_a_key_of_compare_and_of_a_threshold(command: Command, run: Path, dev_csv: Path) -> None:
    document = json.loads(command("compare", run, run, dev_csv, "--json").out)
    assert document["seen_in_training"] == {"a": "dev", "b": "dev"}
    words = ("evaluate", run, dev_csv, "--abstain-accuracy", 0.5)
    assert json.loads(command(*words, "--json").out)["abstention"]["seen_in_training"] == "dev"
    assert "The run has seen these texts" in command(*words).out


def test_tables_of_a_comparison_and_of_classes_are_chinese(
    command: Command, run: Path, dev_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    out = command("evaluate", run, dev_csv, "--show-errors", 1).out + command("compare", run, run, dev_csv).out
    for part in ("准确率", "95 % 区间", "召回率", "行：真实类别", "没有差异：两者对全部 100 行的答案都相同"):
        assert part in out, part
    for english in ("metric", "interval", "precision", "recall", "answers", "wrong"):
        assert english not in out, english


def test_cells_of_tables_that_are_numbers_are_numbers_in_json() -> None:
    table = ScoreTable("Values", ("", "least", "n"), (("7", "0.5000", "12"), ("given", "–", "3")))
    assert table.to_json()["rows"] == [["7", 0.5, 12], ["given", "–", 3]]
