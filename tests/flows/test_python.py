"""The whole toolkit in Python: what the command line does, with names, lists and short answers."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path

import numpy as np
import pytest

import bertwright
from bertwright import BertTokenizer, BertwrightError
from bertwright.data.examples import label_of
from bertwright.data.reading.given_data import rows_of, say_read
from bertwright.data.reading.tables import Columns
from bertwright.tasks.classification import Classification

from .conftest import write_csv

ROWS = [("a good day", "good"), ("a bad day", "bad"), ("fine weather", "good"), ("poor weather", "bad")] * 6


@pytest.fixture(scope="module")
def named_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [(f"{text} number {i}", str(i), label) for i, (text, label) in enumerate(ROWS)]
    return write_csv(tmp_path_factory.mktemp("named") / "n.csv", rows, ("remark", "stay", "stars"))


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> bertwright.Run:
    texts, labels = zip(*ROWS)
    out = tmp_path_factory.mktemp("python") / "run"
    return bertwright.finetune(list(texts), list(labels), model=tiny_model, out=out, max_steps=2)


def test_every_verb_is_a_function_with_help() -> None:
    for name in ("finetune", "evaluate", "compare", "pretrain", "prepare", "inspect", "Predictor"):
        one = getattr(bertwright, name)
        assert name in dir(bertwright)
        assert len(inspect.getdoc(one) or "") > 100, name
    assert "run.scores" in (inspect.getdoc(bertwright.finetune) or "")


def test_texts_and_labels_as_two_lists(trained: bertwright.Run) -> None:
    assert trained.ledger.sets[0].rows + len(trained.dev) == len(ROWS)
    assert set(trained.ledger.sets[0].classes) == {"good", "bad"}
    assert trained.scores["accuracy"] == trained.outcome.best.scores["accuracy"]


def test_lists_of_different_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW534"):
        bertwright.finetune(["a", "b", "c"], ["x", "y"], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_columns_by_name(tiny_model: Path, named_csv: Path, tmp_path: Path) -> None:
    run = bertwright.finetune(
        named_csv, model=tiny_model, out=tmp_path / "r", text="remark", label="stars", max_steps=1
    )
    report = bertwright.evaluate(run.folder, named_csv, text="remark", label="stars")
    assert len(report.examples) == len(ROWS)
    ledger = bertwright.inspect(named_csv, text="remark", label="stars", model=tiny_model)
    assert "stay" in next(one.message for one in ledger.findings if one.kind == "unused columns")
    comparison = bertwright.compare(run.folder, run.folder, named_csv, text="remark", label="stars")
    assert comparison.count == len(ROWS)


def test_answers_are_short_to_look_at(trained: bertwright.Run) -> None:
    report = bertwright.evaluate(trained.folder, ROWS)
    for one in (trained, report, trained.ledger, bertwright.Predictor.load(trained.folder)):
        assert len(repr(one)) < 400, repr(one)[:500]
    assert "accuracy=" in repr(trained)
    assert "good 12" in str(trained.ledger) or "good 11" in str(trained.ledger)


def test_a_run_stands_for_its_folder(trained: bertwright.Run, tmp_path: Path) -> None:
    by_folder, by_run = (bertwright.evaluate(one, ROWS).scores for one in (trained.folder, trained))
    assert by_run == by_folder
    comparison = bertwright.compare(trained, trained, ROWS)
    assert comparison.count == len(ROWS)
    assert len(repr(comparison)) < 300
    answers = bertwright.Predictor.load(trained)(["a good day"])
    assert answers == bertwright.Predictor.load(trained.folder)(["a good day"])
    assert BertTokenizer.from_pretrained(trained).encode("a") == BertTokenizer.from_pretrained(trained.folder).encode(
        "a"
    )


def test_two_lists_go_wherever_data_go(trained: bertwright.Run, tiny_model: Path) -> None:
    texts, labels = (list(column) for column in zip(*ROWS))
    assert bertwright.evaluate(trained, texts, labels).scores == bertwright.evaluate(trained, ROWS).scores
    assert bertwright.compare(trained, trained, texts, labels).count == len(ROWS)
    assert bertwright.inspect(texts, labels, model=tiny_model).sets[0].classes == {"good": 12, "bad": 12}
    mixed = [{"review": text, "text": "nothing", "stars": label} for text, label in ROWS]
    by_both = bertwright.evaluate(trained, mixed, columns=Columns(label="stars"), text="review")
    assert by_both.scores == bertwright.evaluate(trained, ROWS).scores
    with pytest.raises(BertwrightError, match="BW534"):
        bertwright.evaluate(trained, texts, labels[1:])
    with pytest.raises(BertwrightError, match="BW535"):
        bertwright.evaluate(trained, Path("test.csv"), labels)


def test_arrays_are_lists_too() -> None:
    texts, labels = zip(*ROWS)
    rows, rest = rows_of(np.array(texts), np.array([int(label == "good") for label in labels]))
    table = Classification.read(rows, labelled=True)
    assert rest is None
    assert [one.text for one in table.examples] == list(texts)
    assert {str(label_of(one)) for one in table.examples} == {"0", "1"}


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_texts_in_lists_are_counted(missing: float | None, caplog: pytest.LogCaptureFixture) -> None:
    texts, labels = (list(column) for column in zip(*ROWS))
    rows, _ = rows_of([missing, *texts[1:]], labels)
    table = Classification.read(rows, labelled=True)
    assert (len(table.examples), len(table.empty)) == (len(ROWS) - 1, 1)
    with caplog.at_level(logging.WARNING, "bertwright"):
        say_read(table)
    assert "1 row without text left out" in caplog.text


def test_an_evaluation_says_what_it_left_out(trained: bertwright.Run, caplog: pytest.LogCaptureFixture) -> None:
    texts, labels = (list(column) for column in zip(*ROWS))
    with caplog.at_level(logging.WARNING, "bertwright"):
        report = bertwright.evaluate(trained, [None, *texts[1:]], labels)
    assert len(report.examples) == len(ROWS) - 1
    assert "1 row without text left out: data:1" in caplog.text


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("texts", "text"),
        ("labels", "label"),
        ("text_column", "text"),
        ("output_dir", "out"),
        ("gpu", "device"),
        ("lr", "learning_rate"),
        ("epoch", "epochs"),
        ("batchsize", "batch_size"),
    ],
)
def test_a_wrong_word_is_answered_with_the_word_of_python(word: str, meant: str, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match="BW101") as caught:
        bertwright.finetune(ROWS, out=tmp_path / "run", **{word: 1})  # type: ignore[arg-type]
    assert caught.value.fields["nearest"] == meant


def test_what_was_lost_is_said_to_programs_too(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([*ROWS, (None, "good"), ("a text", None)], columns=["text", "label"])
    with caplog.at_level(logging.WARNING, "bertwright"):
        run = bertwright.finetune(frame, model=tiny_model, out=tmp_path / "r", max_steps=1, drop_unlabelled=True)
    assert "1 row without text left out: train:25" in caplog.text
    assert "1 row without a label dropped: train:26" in caplog.text
    assert [one.kind for one in run.ledger.findings if one.kind == "empty"] == ["empty"]
    with pytest.raises(BertwrightError, match="BW211"):
        bertwright.finetune(frame, model=tiny_model, out=tmp_path / "other", max_steps=1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"out": "taken"}, "BW502"),
        ({"out": "file.txt"}, "BW503"),
        ({"out": "file.txt/run"}, "BW501"),
        ({"model": "no-such-model"}, "BW301"),
        ({"dev": "no-such-file.csv"}, "BW201"),
        ({"device": "abacus"}, "BW130"),
    ],
)
def test_what_costs_nothing_is_checked_before_the_data_are_read(
    wrong: dict[str, str], code: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        pytest.fail("the data were read first")

    monkeypatch.setattr(Classification, "read", read)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file.txt").write_text("mine", encoding="utf-8")
    train = write_csv(tmp_path / "train.csv", ROWS)
    given = {"model": str(tiny_model), "out": "run", **wrong}
    with pytest.raises(BertwrightError, match=code):
        bertwright.finetune(train, given.pop("dev", None), **given)  # type: ignore[arg-type]


def test_a_place_that_is_taken_is_said_before_a_store_is_opened(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW502"):
        bertwright.pretrain(tmp_path / "no-store", out=tmp_path, max_steps=1)


def test_a_run_is_a_model_to_start_from(trained: bertwright.Run, tmp_path: Path) -> None:
    run = bertwright.finetune(ROWS, model=trained.folder, out=tmp_path / "next", max_steps=1)
    assert run.folder == tmp_path / "next"


def test_a_predictor_of_a_folder_is_told_how_it_is_loaded(trained: bertwright.Run) -> None:
    import copy

    for folder in ("runs/first", trained.folder):
        with pytest.raises(BertwrightError, match="BW588") as caught:
            bertwright.Predictor(folder)  # type: ignore[call-arg, arg-type]
        assert f"bertwright.Predictor.load('{folder}')" in str(caught.value)
    predictor = bertwright.Predictor.load(trained)
    assert copy.copy(predictor).reading == predictor.reading


def test_a_run_tells_its_scores_with_their_intervals_as_json(trained: bertwright.Run) -> None:
    told = trained.to_json()
    assert told["scores"] == trained.scores
    for name in ("accuracy", "macro_f1"):
        one = told["metrics"][name]
        assert one["low"] <= one["value"] <= one["high"]
        assert one["value"] == pytest.approx(told["scores"][name], abs=1e-6)
