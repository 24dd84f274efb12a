"""Inputs that are no ordinary file: pipes, empty and impossible paths, thousands of columns and of classes."""

from __future__ import annotations

import csv
import json
import os
import threading
import time
from pathlib import Path

import pytest

from bertwright import finetune
from bertwright.data.examples import Example, Where
from bertwright.data.reading.columns.column_search import TEXTS_WITH_LABELS, ColumnSearch
from bertwright.data.reading.example_sources import read_examples
from bertwright.data.reading.opened_source import opened
from bertwright.data.reading.tables import Columns
from bertwright.errors import LONGEST_MESSAGE, BertwrightError
from bertwright.inference.answer_rows import AnswerRows
from bertwright.reports.report import answers_jsonl
from bertwright.tasks.classification import ClassPrediction

from .conftest import Command


def test_a_pipe_is_read_once_and_gives_what_a_file_gives(tmp_path: Path) -> None:
    text = "text,label\n" + "".join(f"a text that is number {n},{'ab'[n % 2]}\n" for n in range(30))
    pipe, file = tmp_path / "pipe.csv", tmp_path / "file.csv"
    file.write_text(text, encoding="utf-8")
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(text, encoding="utf-8"), daemon=True)
    writer.start()
    source = opened(pipe)
    table = read_examples(source, labelled=True)
    writer.join(10)
    assert not writer.is_alive()
    plain = read_examples(opened(file), labelled=True)
    assert [(one.text, one.answer) for one in table.examples] == [(one.text, one.answer) for one in plain.examples]
    assert table.examples[0].where.source == str(pipe)
    assert pipe.is_fifo()
    copy = source.path
    assert copy.is_file()
    del source, table
    assert not copy.exists()


def test_answers_for_a_pipe(command: Command, run: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "texts.txt"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("good food\nbad food\n", encoding="utf-8"), daemon=True)
    writer.start()
    result = command("predict", run, "--input", pipe)
    writer.join(10)
    assert [json.loads(line)["text"] for line in result.out.splitlines()] == ["good food", "bad food"], result.err


@pytest.mark.parametrize(
    "words",
    [
        ("finetune", ""), ("finetune", "a.csv", "--dev", ""), ("finetune", "a.csv", "--out", ""), ("inspect", ""),
        ("evaluate", "", "a.csv"), ("evaluate", "runs/x", ""), ("predict", "runs/x", "--input", ""),
        ("prepare", "", "--vocab", "v", "--out", "o"), ("vocab", "a.txt", "--out", ""), ("convert-data", "a", ""),
    ],
)  # fmt: skip
def test_an_empty_path_is_not_the_current_folder(words: tuple[str, ...], command: Command) -> None:
    refused = command(*words)
    assert (refused.code, "error BW646" in refused.err) == (2, True), refused.err


def test_an_empty_text_is_a_text(command: Command, run: Path) -> None:
    assert command("predict", run, "").code == 0
    assert command("predict", run, "good", "--text-b", "").err.count("BW646") == 0


@pytest.mark.parametrize(("path", "code"), [("", "BW646"), ("a\0b.csv", "BW644")])
def test_python_is_told_of_paths_that_are_none(path: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(BertwrightError, match=code):
        finetune(path, out=tmp_path / "run")
    with pytest.raises(BertwrightError, match=code):
        finetune([("good", "a"), ("bad", "b")] * 5, out=path)


def test_the_time_grows_with_the_columns_and_not_with_their_square(tmp_path: Path) -> None:
    def search(count: int) -> float:
        names = [f"q{at}" for at in range(count)]
        cells = [["0", "1", "2", "1"]] * count
        begun = time.process_time()
        with pytest.raises(BertwrightError) as caught:
            ColumnSearch("x", names, cells, has_names=True, labelled=True, pair=None).run(TEXTS_WITH_LABELS, Columns())
        assert len(caught.value.message().encode()) <= LONGEST_MESSAGE
        return time.process_time() - begun

    search(100)
    few = min(search(2000) for _ in range(2))
    assert search(16_000) < 24 * few + 0.5  # eight times the columns; the square would be 64 times the time
    wide = tmp_path / "wide.csv"
    with wide.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*(f"c{at}" for at in range(3000)), "text", "label"])
        rows.writerows([*("1" * 3000), f"text number {at}", "ab"[at % 2]] for at in range(6))
    table = read_examples(wide, labelled=True)
    assert (table.columns.text, table.columns.label, len(table.unused)) == ("text", "label", 3000)


def answer_of_many(classes: int) -> ClassPrediction:
    scores = {f"class {at}": (at * 7919 % classes) / 1e4 for at in range(classes)}
    best = max(scores, key=lambda name: scores[name])
    return ClassPrediction(False, best, scores[best], scores)


def test_of_thousands_of_classes_an_answer_names_the_best(caplog: pytest.LogCaptureFixture) -> None:
    example, answer = Example("a text", None, Where("x", 1)), answer_of_many(3000)
    best = sorted(answer.to_json()["scores"].values(), reverse=True)[:20]
    with caplog.at_level("INFO", "bertwright"):
        rows = AnswerRows("jsonl")
        lines = [json.loads(rows.lines(example, answer)) for _ in range(3)]
        rows.say()
        table = AnswerRows("csv")
        header, row = csv.reader([*table.lines(example, answer).splitlines()])
    assert [list(one["scores"].values()) for one in lines] == [best] * 3
    assert next(iter(lines[0]["scores"])) == answer.label
    assert [one for one in caplog.messages if "--all-scores" in one] == [
        "answers name the 20 best of 3,000 classes; all of them: --all-scores"
    ]
    assert json.loads(row[header.index("scores")]) == lines[0]["scores"]
    whole = json.loads(AnswerRows("jsonl", all_scores=True).lines(example, answer))
    assert len(whole["scores"]) == 3000
    assert len(json.loads(answers_jsonl([example], [answer]))["scores"]) == 20
    assert len(json.loads(answers_jsonl([example], [answer], all_scores=True))["scores"]) == 3000


def test_of_a_hundred_classes_an_answer_names_all() -> None:
    example, answer = Example("a text", None, Where("x", 1)), answer_of_many(100)
    assert len(json.loads(AnswerRows("jsonl").lines(example, answer))["scores"]) == 100


def test_formulas_are_escaped_on_request(command: Command, run: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data.csv", tmp_path / "out.csv"
    data.write_text("text,=id,n\n=1+1 good food,＝x,-5\n good food,b,2\n", encoding="utf-8")
    words = ("predict", run, "--input", data, "--text-column", "text", "--output")
    assert command(*words, out, "--escape-formulae").code == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [rows[0][name] for name in ("text", "'=id", "n")] == ["'=1+1 good food", "'＝x", "-5"]
    assert command(*words, tmp_path / "plain.csv").code == 0
    assert "=id" in (tmp_path / "plain.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert "BW432" in command(*words, tmp_path / "out.jsonl", "--escape-formulae").err
    assert "BW645" in command("predict", run, "--input", data, "--escape-formulae").err
