"""`predict`: every input, every output, interrupted and continued."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bertwright import Predictor
from bertwright.data.examples import Example, Where
from bertwright.data.reading.tables import Columns
from bertwright.errors import BertwrightError
from bertwright.inference import streaming
from bertwright.inference.answer_rows import AnswerRows
from bertwright.inference.streaming import counted

from .conftest import Command, write_csv
from .test_mistakes import refused

TEXTS = ["a great day", 'so bad, so "very" bad', "两行\n文字", "", "=1+1", "the last"]


def answers(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_arguments_and_stdin_give_the_same(command: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_arguments = command("predict", run, "a great day", "这家店很差")
    monkeypatch.setattr("sys.stdin", io.StringIO("a great day\n这家店很差\r\n"))
    from_stdin = command("predict", run)
    assert from_arguments.code == from_stdin.code == 0
    assert from_arguments.out == from_stdin.out
    assert [answer["text"] for answer in answers(from_stdin.out)] == ["a great day", "这家店很差"]


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "gb2312"])
def test_a_stdout_that_lacks_some_characters(
    command: Command, run: Path, dev_csv: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    text = "é 两行 😀 \\u4e24"
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding=encoding))
    assert command("predict", run, text).code == 0
    assert [answer["text"] for answer in answers(raw.getvalue().decode(encoding))] == [text]
    assert command("evaluate", run, dev_csv).code == 0


def test_closed_streams(command: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    refused(command("predict", run), "BW205", "stdin")
    monkeypatch.setattr("sys.stdout", None)
    assert command("predict", run, "a great day").code == 0
    sys.stdin.close()
    sys.stdout.close()


def test_json_lines_of_stdin(command: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['{"id": 7, "review": "a great day"}', '{"id": 8, "review": "两行\\n文字"}']
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    result = command("predict", run, "--input", "-")
    assert result.code == 0, result.err
    assert "stdin: text from 'review'" in result.err
    assert [answer["text"] for answer in answers(result.out)] == ["a great day", "两行\n文字"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{lines[0]}\na great day\n"))
    result = command("predict", run, "--input", "-")
    refused(result, "BW225")
    assert "stdin:2" in result.err
    refused(command("predict", run, "--input", "-", "--output", "answers.jsonl"), "BW110")


def test_texts_in_which_there_is_nothing_to_read_are_named(command: Command, run: Path, tmp_path: Path) -> None:
    """They get an answer as every text does, and nobody shall take it for one that was read from them."""
    source = write_csv(tmp_path / "in.csv", [("a great day", ""), ("", ""), ("𒀀 𒀁", ""), (" ", "")])
    result = command("predict", run, "--input", source)
    assert [answer.get("doubt", "") for answer in answers(result.out)] == ["", "empty", "unknown", "empty"]
    assert "2 texts without a word, answered all the same" in result.err
    assert f"1 text without a word that the vocabulary knows, answered all the same: {source}:4" in result.err
    alone = command("predict", run, "")
    assert "1 text without a word, answered all the same: arguments:1" in alone.err
    assert "all the same" not in command("predict", run, "a great day").err


def test_python_is_told_of_texts_without_a_word(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = Predictor.load(run)(["a great day", ""])
    assert [one.doubt for one in found] == ["", "empty"]
    assert "texts:2" in caplog.text


def test_jsonl_and_csv_hold_the_same_answers(command: Command, run: Path, tmp_path: Path) -> None:
    texts = write_csv(tmp_path / "texts.csv", [(text,) for text in TEXTS], header=("text",))
    assert command("predict", run, "--input", texts, "--output", tmp_path / "a.jsonl").code == 0
    assert command("predict", run, "--input", texts, "--output", tmp_path / "a.csv").code == 0
    lines = answers((tmp_path / "a.jsonl").read_text(encoding="utf-8"))
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [line["text"] for line in lines] == [row["text"] for row in rows] == TEXTS
    for line, row in zip(lines, rows):
        assert row["label"] == line["label"]
        assert float(row["scores.negative"]) == line["scores"]["negative"]  # type: ignore[index]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.jsonl", "texts.csv"]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("stop_after", [0, 1, 3, 5])
def test_an_interrupted_job_goes_on_to_the_same_end(
    form: str, stop_after: int, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bertwright")
    predictor = Predictor.load(run)
    examples = [Example(text, None, Where("x", i)) for i, text in enumerate(TEXTS)]
    source = tmp_path / "texts.csv"
    source.write_text("x", encoding="utf-8")
    job = streaming.job_of(run, source, form)

    def broken() -> Iterator[Example]:
        yield from examples[:stop_after]
        raise KeyboardInterrupt

    monkey = pytest.MonkeyPatch()
    monkey.setattr(streaming, "_TEXTS_AT_ONCE", 1)
    output, whole = tmp_path / f"a.{form}", tmp_path / f"whole.{form}"
    assert streaming.write_answers(predictor, examples, whole, job, resume=False) == len(TEXTS)
    with pytest.raises(KeyboardInterrupt):
        streaming.write_answers(predictor, broken(), output, job, resume=False)
    monkey.undo()
    assert not output.exists(), "nothing half-written under the final name"
    part = tmp_path / f"a.{form}.part"
    assert f"the answers so far are in {part}; the same command with --resume goes on" in caplog.text
    with part.open("a", encoding="utf-8") as file:
        file.write('{"text": "half a li' if form == "jsonl" else '"half a\nli')
    assert streaming.write_answers(predictor, examples, output, job, resume=True) == len(TEXTS)
    assert output.read_bytes() == whole.read_bytes()
    assert not part.exists()


def test_a_job_that_is_still_going_on_is_not_joined(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertwright.checkpoint.lock._PATIENCE", 0.0)
    monkeypatch.setattr(streaming, "_TEXTS_AT_ONCE", 1)
    predictor, output = Predictor.load(run), tmp_path / "a.jsonl"
    examples = [Example(text, None, Where("x", i)) for i, text in enumerate(TEXTS)]
    (tmp_path / "texts.csv").write_text("x", encoding="utf-8")
    job = streaming.job_of(run, tmp_path / "texts.csv", "jsonl")

    def slow() -> Iterator[Example]:
        for resume in (False, True):
            yield examples[resume]
            with pytest.raises(BertwrightError, match="BW514.*a.jsonl.part"):
                streaming.write_answers(predictor, examples, output, job, resume=resume)
        yield from examples[2:]

    assert streaming.write_answers(predictor, slow(), output, job, resume=False) == len(TEXTS)
    assert len(output.read_text(encoding="utf-8").splitlines()) == len(TEXTS)


def test_answers_go_where_a_link_leads(command: Command, run: Path, dev_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "elsewhere" / "b.jsonl")
    assert command("predict", run, "--input", dev_csv, "--output", tmp_path / "a.jsonl").code == 0
    assert (tmp_path / "a.jsonl").is_symlink()
    assert len((tmp_path / "elsewhere" / "b.jsonl").read_text(encoding="utf-8").splitlines()) == 100


def test_no_examples_have_no_answers(run: Path) -> None:
    assert Predictor.load(run).answer([]) == []


def test_a_mistake_in_the_first_text_leaves_nothing(command: Command, run: Path, tmp_path: Path) -> None:
    texts, output = tmp_path / "texts.jsonl", tmp_path / "a.jsonl"
    texts.write_text('{"text": "good"}\n{"text": ', encoding="utf-8")
    assert command("predict", run, "--input", texts, "--output", output).code in (1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["texts.jsonl"]
    texts.write_text('{"text": "good"}\n', encoding="utf-8")
    assert command("predict", run, "--input", texts, "--output", output).code == 0


def test_a_header_without_answers_is_not_written_twice(run: Path, tmp_path: Path) -> None:
    predictor = Predictor.load(run)
    examples = [Example(text, None, Where("x", i)) for i, text in enumerate(TEXTS)]
    source = tmp_path / "texts.csv"
    source.write_text("x", encoding="utf-8")
    job = streaming.job_of(run, source, "csv")
    output, whole = tmp_path / "a.csv", tmp_path / "whole.csv"
    assert streaming.write_answers(predictor, examples, whole, job, resume=False) == len(TEXTS)
    header = whole.read_bytes().splitlines(keepends=True)[0]
    for begun in (header, header + b'"half a\nli'):  # the first answer is longer than what is written at once
        (tmp_path / "a.csv.part").write_bytes(begun)
        (tmp_path / "a.csv.part.json").write_text(job.to_json() + "\n", encoding="utf-8")
        assert streaming.write_answers(predictor, examples, output, job, resume=True) == len(TEXTS)
        assert output.read_bytes() == whole.read_bytes()


def test_a_very_long_text_in_a_csv(command: Command, run: Path, tmp_path: Path) -> None:
    texts, output = tmp_path / "texts.jsonl", tmp_path / "a.csv"
    texts.write_text(json.dumps({"text": "x" * 140_000}) + "\n", encoding="utf-8")
    before = csv.field_size_limit(131_072)
    try:
        result = command("predict", run, "--input", texts, "--output", output)
    finally:
        csv.field_size_limit(before)
    assert result.code == 0, result.err
    assert "1 answer in" in result.err
    assert len(output.read_text(encoding="utf-8").splitlines()) == 2


def test_an_unfinished_output_is_neither_overwritten_nor_mixed(
    command: Command, run: Path, dev_csv: Path, train_csv: Path, tmp_path: Path
) -> None:
    output = tmp_path / "a.jsonl"
    part, label = tmp_path / "a.jsonl.part", tmp_path / "a.jsonl.part.json"
    part.write_text('{"text": "x"}\n', encoding="utf-8")
    job = streaming.job_of(run, dev_csv, "jsonl", Columns("text", "label"))
    label.write_text(job.to_json() + "\n", encoding="utf-8")
    refused(command("predict", run, "--input", dev_csv, "--output", output), "BW430", "--resume")
    refused(command("predict", run, "--input", train_csv, "--output", output, "--resume"), "BW431")
    go_on = ("predict", run, "--input", dev_csv, "--output", output, "--resume")
    refused(command(*go_on, "--text-column", "label"), "BW431")
    assert command(*go_on).code == 0
    assert json.loads(output.read_text(encoding="utf-8").splitlines()[0]) == {"text": "x"}


def test_answers_of_two_models_are_not_mixed(run: Path, dev_csv: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    before = streaming.job_of(copy, dev_csv, "jsonl")
    assert streaming.job_of(copy, dev_csv, "jsonl") == before
    os.utime(copy / "best" / "model.safetensors")  # as after another training
    assert streaming.job_of(copy, dev_csv, "jsonl") != before


@pytest.mark.parametrize(("first", "then"), [(("--among", "a,b"), ()), (("--top-k", 2), ("--top-k", 3))])
def test_answers_that_were_asked_for_in_two_ways_are_not_mixed(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: tuple[object], then: tuple[object]
) -> None:
    texts, output = tmp_path / "texts.txt", tmp_path / "a.jsonl"
    texts.write_text("a [MASK]\nthe [MASK]\n", encoding="utf-8")
    whole = Predictor.answer

    def stopped(self: Predictor, examples: list[Example]) -> object:
        if examples[0].where.line == 2:
            raise KeyboardInterrupt
        return whole(self, examples)

    monkeypatch.setattr(streaming, "_TEXTS_AT_ONCE", 1)
    monkeypatch.setattr(Predictor, "answer", stopped)
    words = ("predict", "mini", "--input", texts, "--output", output)
    assert command(*words, *first).code == 130
    assert len(answers((tmp_path / "a.jsonl.part").read_text(encoding="utf-8"))) == 1
    monkeypatch.setattr(Predictor, "answer", whole)
    refused(command(*words, *then, "--resume"), "BW431")
    assert command(*words, *first, "--resume").code == 0
    assert len(answers(output.read_text(encoding="utf-8"))) == 2


def test_a_job_that_was_killed_goes_on(
    command: Command, run: Path, sentences: list[tuple[str, str]], tmp_path: Path
) -> None:
    texts = write_csv(tmp_path / "texts.csv", [(text,) for text, _ in sentences * 8], header=("text",))
    output, whole = tmp_path / "a.jsonl", tmp_path / "whole.jsonl"
    part = tmp_path / "a.jsonl.part"
    words = ["predict", run, "--precision", "fp32", "--input", texts, "--output", output]
    process = subprocess.Popen(
        [sys.executable, "-m", "bertwright", *map(str, words)], stderr=subprocess.DEVNULL, text=True
    )
    while process.poll() is None and not (part.exists() and part.stat().st_size):
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not output.exists()
    assert part.stat().st_size, "it was under way"
    result = command(*words, "--resume")
    assert result.code == 0
    assert "going on after" in result.err
    assert command("predict", run, "--input", texts, "--output", whole).code == 0
    assert output.read_bytes() == whole.read_bytes()


def test_a_line_now_and_then_tells_how_far_it_is(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertwright.progress.SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level("WARNING", "bertwright")
    assert list(counted(iter("abc"))) == ["a", "b", "c"]
    assert capsys.readouterr().err == "", "with --quiet"
    caplog.set_level("INFO", "bertwright")
    assert list(counted(iter("abc"), done=1000)) == ["a", "b", "c"]
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["1,001 answers", "1,002 answers", "1,003 answers"]


def test_wrong_outputs(command: Command, run: Path, dev_csv: Path, tmp_path: Path) -> None:
    refused(command("predict", run, "--input", dev_csv, "--output", tmp_path / "a.xlsx"), "BW432")
    refused(command("predict", run, "text", "--output", tmp_path / "a.csv"), "BW110")


def test_a_stream_takes_constant_memory(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is left out: what is measured is the way of rows to lines."""
    predictor = Predictor.load(run)
    answer = predictor("a great day")
    monkeypatch.setattr(Predictor, "answer", lambda self, examples: [answer] * len(examples))

    def peak(count: int) -> int:
        examples = (Example(f"text {i} " * 10, None, Where("x", i)) for i in range(count))
        tracemalloc.start()
        total = sum(1 for _ in streaming.answer_lines(predictor, examples, AnswerRows("jsonl")))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == count
        return size

    assert peak(20_000) < 1.2 * peak(5_000)


def test_an_item_that_is_no_text_is_refused_wherever_it_stands(run: Path) -> None:
    predictor = Predictor.load(run)
    for texts in ([None, "a great day"], ["a great day", None], [None]):
        with pytest.raises(BertwrightError, match="BW233|BW226"):
            predictor(texts)
    assert predictor([]) == []


def test_a_folder_of_classes_that_changed_is_another_job(run: Path, tmp_path: Path) -> None:
    for name in ("a/0.txt", "a/1.txt", "b/0.txt"):
        file = tmp_path / "classes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a great day", encoding="utf-8")
    before = streaming.job_of(run, tmp_path / "classes", "jsonl")
    assert streaming.job_of(run, tmp_path / "classes", "jsonl") == before
    (tmp_path / "classes" / "a" / "1.txt").rename(tmp_path / "classes" / "a" / "-1.txt")
    assert streaming.job_of(run, tmp_path / "classes", "jsonl") != before


def test_an_output_that_is_the_input_is_refused(command: Command, run: Path, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "t.csv", [("a great day", "positive"), ("a bad day", "negative")])
    before = data.read_bytes()
    refused(command("predict", run, "--input", data, "--output", tmp_path / "." / "t.csv"), "BW576", "t.csv")
    refused(command("evaluate", run, data, "--predictions", data), "BW576")
    refused(command("compare", run, run, data, "--output", data), "BW576")
    refused(command("predict", run, "--input", tmp_path, "--output", tmp_path / "a.jsonl"), "BW576")
    assert data.read_bytes() == before
    assert command("evaluate", run, data, "--predictions", tmp_path / "new" / "a.jsonl").code == 0
    assert len((tmp_path / "new" / "a.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_quiet_means_quiet(command: Command, run: Path, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "new.csv", [("a great day", "positive"), ("so bad", "negative")])
    other = tmp_path / "other"  # no copy, of which there would be a warning
    shutil.copytree(run / "best", other, ignore=shutil.ignore_patterns("manifest.json"))
    (other / "task.json").write_text((run / "best" / "task.json").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    for words in (
        ("predict", run, "--input", data, "--output", tmp_path / "a.jsonl"),
        ("evaluate", run, data, "--json"),
        ("compare", run, other, data, "--json"),
    ):
        loud, quiet = command(*words), command("-q", *words)
        assert loud.err
        assert (quiet.code, quiet.out, quiet.err) == (0, loud.out, "")


def test_a_predictor_never_changes_and_answers_in_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import FrozenInstanceError

    masks = Predictor.load("mini")
    with pytest.raises(FrozenInstanceError):
        masks.reading = masks.reading  # type: ignore[misc]
    few, many = masks.answering(["top_k=1"]), masks.answering(["top_k=7"])
    texts = [f"The capital of France is [MASK] {number}." for number in range(12)]
    asked = [masks, few, many]
    alone = [one(texts) for one in asked]
    assert [len(answers[0].to_json()["masks"][0]) for answers in alone] == [5, 1, 7]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda one: one(texts), asked * 4))
    assert together == alone * 4


def test_the_columns_of_the_input_stand_beside_the_answers(command: Command, run: Path, tmp_path: Path) -> None:
    rows = [("7", "a great day", "2026-01-02", "=1+1"), ("8", "so bad", "2026-01-03", "x")]
    source = write_csv(tmp_path / "in.csv", rows, ("id", "text", "date", "label"))
    found = answers(command("predict", run, "--input", source).out)
    assert [(one["id"], one["date"], one["input_label"]) for one in found] == [
        ("7", "2026-01-02", "=1+1"),
        ("8", "2026-01-03", "x"),
    ]
    assert found[0]["label"] in ("positive", "negative")
    both = write_csv(tmp_path / "both.csv", [("good", "a", "b")], ("text", "label", "input_label"))
    (one,) = answers(command("predict", run, "--input", both).out)
    assert (one["input_input_label"], one["input_label"]) == ("a", "b")
    chosen = answers(command("predict", run, "--input", source, "--columns", "date").out)
    assert [set(one) & {"id", "date", "input_label"} for one in chosen] == [{"date"}, {"date"}]
    none = answers(command("predict", run, "--input", source, "--columns", "").out)
    assert "date" not in none[0]
    refused(command("predict", run, "--input", source, "--columns", "dat"), "BW591")
    refused(command("predict", run, "a text", "--columns", "date"), "BW633")
    refused(command("predict", run, "--input", source, "--excel"), "BW639")
    output = tmp_path / "out.csv"
    assert command("predict", run, "--input", source, "--output", output, "--excel").code == 0
    raw = output.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    table = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(row["id"], row["input_label"]) for row in table] == [("7", "'=1+1"), ("8", "x")]


def test_keys_of_json_lines_stand_beside_the_answers(command: Command, run: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    lines = [
        {"id": 1, "text": "a great day", "tags": ["x", 2]},
        {"id": 2, "text": "bad"},
        {"id": 3, "text": "c", "n": 1},
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = answers(command("predict", run, "--input", source).out)
    assert [(one["id"], one.get("tags"), one.get("n")) for one in found] == [
        (1, ["x", 2], None),
        (2, None, None),
        (3, None, 1),
    ]
    result = command("predict", run, "--input", source, "--output", tmp_path / "out.csv")
    assert "'n' stands in 1 later rows only" in result.err
    table = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"))))
    assert [(row["id"], row["tags"]) for row in table] == [("1", '["x", 2]'), ("2", ""), ("3", "")]


def test_a_csv_file_with_other_columns_is_gone_on_with(
    command: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(str(i), f"a text {i}") for i in range(40)]
    source = write_csv(tmp_path / "in.csv", rows, ("id", "text"))
    whole, output = tmp_path / "whole.csv", tmp_path / "out.csv"
    assert command("predict", run, "--input", source, "--output", whole).code == 0
    monkeypatch.setattr(streaming, "_TEXTS_AT_ONCE", 16)
    monkeypatch.setattr(Predictor, "answer", interrupted_after(Predictor.answer, 2))
    assert command("predict", run, "--input", source, "--output", output).code == 130
    monkeypatch.undo()
    assert command("predict", run, "--input", source, "--output", output, "--resume").code == 0
    assert output.read_bytes() == whole.read_bytes()


def interrupted_after(method: Callable[..., Any], calls: int) -> Callable[..., Any]:
    """The method, which somebody stops after so many calls."""
    done: list[int] = []

    def counted_calls(*given: Any) -> Any:
        if len(done) == calls:
            raise KeyboardInterrupt
        done.append(1)
        return method(*given)

    return counted_calls
