"""Tagging as a user meets it: finetune, evaluate, predict, inspect, convert-data, and the mistakes."""

from __future__ import annotations

import csv
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bertwright import BertCrfForTokenClassification, Predictor, finetune
from bertwright.data.answers import Marked
from bertwright.data.examples import Example, spans_of
from bertwright.data.tagged.writing import Form, lines_for
from bertwright.data.windows import Reading
from bertwright.tasks.entities.tagging import Tagging
from bertwright.training.finetuning.preparation import prepare
from bertwright.training.steps import ExampleSteps

from ..tagged_texts import tagged_sentences
from .conftest import Command
from .test_mistakes import refused


def write(path: Path, examples: list[Example], form: Form = "columns") -> Path:
    path.write_text("".join(lines_for(examples, form, "bio")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tagged")
    sets = {"train.jsonl": tagged_sentences(200, 1), "dev.jsonl": tagged_sentences(50, 2)}
    train, dev = (write(folder / name, examples, "doccano") for name, examples in sets.items())
    return train, dev


@pytest.fixture(scope="module", params=["crf", "softmax"])
def tagger(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tagger_model: Path,
    files: tuple[Path, Path],
) -> Path:
    """A finished run of a few seconds with each head."""
    out = tmp_path_factory.mktemp("runs") / request.param
    train, dev = files
    settings: dict[str, Any] = {"epochs": 4, "learning_rate": 5e-3, "batch_size": 16, "head": request.param}
    finetune(train, dev, model=tagger_model, out=out, task="tagging", **settings)
    return out


def test_a_run_learns_and_tells(tagger: Path, command: Command, files: tuple[Path, Path], tmp_path: Path) -> None:
    with (tagger / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["dev_f1"]) > 0.9
    assert not [name for name in rows[0] if "softmax" in name], "no reading of weights that were trained with a CRF"
    assert {"dev_strict_f1", "dev_precision", "dev_recall", "dev_ece"} <= set(rows[0])
    card = (tagger / "README.md").read_text(encoding="utf-8")
    assert "| LOC |" in card
    assert "| all |" in card
    assert "| F1, strict |" in card
    assert "without the CRF" not in card
    assert "finds 2 types of entities: LOC, PER." in card
    assert "types.png" in card
    assert (tagger / "types.png").read_bytes().startswith(b"\x89PNG")
    assert "token-classification" in card
    assert ("leaves the CRF out" in card) == (tagger.name == "crf")
    task = json.loads((tagger / "best" / "task.json").read_text(encoding="utf-8"))
    assert (task["task"], task["head"], task["types"], task["scheme"]) == (
        "tagging",
        tagger.name,
        ["LOC", "PER"],
        "bio",
    )
    lines = [json.loads(line) for line in (tagger / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 50
    assert any(line["gold"] for line in lines)
    for line in lines:
        for entity in (*line["gold"], *line["entities"]):
            assert line["text"][entity["start"] : entity["end"]] == entity["text"]

    evaluated = command("evaluate", tagger, files[1], "--json")
    assert evaluated.code == 0, evaluated.err
    values = json.loads(evaluated.out)
    best = max(float(row["dev_f1"]) for row in rows)
    assert values["scores"]["f1"] == pytest.approx(best, abs=1e-6)
    assert values["tables"][0]["title"] == "Entities"
    shown = command("evaluate", tagger, files[1])
    assert "Entities" in shown.out
    assert "50 examples" in shown.out

    answered = command("predict", tagger, "yesterday Anna Miller met 李明 near New Harbour .")
    entities = json.loads(answered.out)["entities"]
    assert [(one["text"], one["type"]) for one in entities] == [
        ("Anna Miller", "PER"), ("李明", "PER"), ("New Harbour", "LOC"),
    ]  # fmt: skip
    assert all(0.3 < one["score"] <= 1 for one in entities)
    texts = tmp_path / "texts.csv"
    texts.write_text("text\nPeter lives in Oslo .\nit rains again .\n", encoding="utf-8")
    written = command("predict", tagger, "--input", texts, "--output", tmp_path / "answers.csv")
    assert written.code == 0, written.err
    with (tmp_path / "answers.csv").open(encoding="utf-8") as file:
        answers = list(csv.DictReader(file))
    assert [one["text"] for one in json.loads(answers[0]["entities"])] == ["Peter", "Oslo"]
    assert json.loads(answers[1]["entities"]) == []


def test_mistakes_of_a_model_are_listed(tagger: Path, command: Command, tmp_path: Path) -> None:
    """Labels that are wrong on purpose, so that right answers are mistakes of each kind."""
    text = "Peter lives in Oslo ."
    rows = [[[0, 5, "LOC"], [15, 19, "LOC"]], [[0, 11, "PER"]], [[15, 19, "LOC"]], [[0, 5, "PER"], [12, 14, "LOC"]]]
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"text": text, "label": row}) + "\n" for row in rows), encoding="utf-8")
    shown = command("evaluate", tagger, data, "--show-errors", "20", "--json")
    assert shown.code == 0, shown.err
    errors = [(one["where"][-1], one["kind"], one["gold"], one["predicted"]) for one in json.loads(shown.out)["errors"]]
    assert set(errors) == {
        ("1", "wrong type", "Peter (LOC)", "Peter (PER)"),
        ("2", "wrong place", "Peter lives (PER)", "Peter (PER)"),
        ("2", "not there", "–", "Oslo (LOC)"),
        ("3", "not there", "–", "Peter (PER)"),
        ("4", "not there", "–", "Oslo (LOC)"),
        ("4", "missed", "in (LOC)", "–"),
    }
    assert errors[-1][1] == "missed"
    assert "wrong answers, the most confident first" in command("evaluate", tagger, data, "--show-errors", "2").out
    with (tagger / "errors.csv").open(encoding="utf-8-sig") as file:
        assert next(csv.reader(file)) == ["where", "kind", "gold", "predicted", "score", "text"]
    answered = command("predict", tagger, "--input", data)
    assert answered.code == 0, answered.err
    assert [json.loads(line)["text"] for line in answered.out.splitlines()] == [text] * 4
    assert "no difference" in command("compare", tagger, tagger, data).out


def test_a_tagger_resumes_as_if_never_stopped(tagger_model: Path, files: tuple[Path, Path], tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 2, "learning_rate": 1e-3, "batch_size": 64, "save_steps": 3}
    whole = finetune(*files, model=tagger_model, out=tmp_path / "whole", **settings)

    class Stop(Exception):
        pass

    steps = 0
    original = Tagging.loss

    def stopping(*given: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > 4:
            raise Stop
        return original(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tagging, "loss", stopping)
        with pytest.raises(Stop):
            finetune(*files, model=tagger_model, out=tmp_path / "parts", **settings)
    finetune(*files, model=tagger_model, out=tmp_path / "parts", resume=True, **settings)
    models = [BertCrfForTokenClassification.from_pretrained(tmp_path / one / "last") for one in ("whole", "parts")]
    assert len(whole.outcome.history) == 8
    for mine, theirs in zip(models[0].parameters(), models[1].parameters()):
        assert torch.equal(mine, theirs)


def test_a_long_text_is_answered_as_a_short_one(tagger: Path) -> None:
    predictor = Predictor.load(tagger)
    short = "Peter lives in Oslo . it rains again . "
    long = short * 40
    found = predictor(long).to_json()
    assert not found["truncated"]
    names = [(one["text"], one["start"]) for one in found["entities"]]
    expected = [pair for n in range(40) for pair in (("Peter", n * len(short)), ("Oslo", n * len(short) + 15))]
    assert len(set(names) & set(expected)) > 0.9 * len(expected)


def test_the_transitions_learn_at_their_own_rate(tagger: Path) -> None:
    if tagger.name == "softmax":
        return
    model = BertCrfForTokenClassification.from_pretrained(tagger / "best")
    assert model.crf.transitions.abs().max() > 0.3
    record = json.loads((tagger / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["transition_factor"] >= 100


def test_rates_are_printed_and_transitions_that_stay_are_warned_of(
    tagger_model: Path, files: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bertwright"):
        finetune(*files, model=tagger_model, out=tmp_path / "run", max_steps=2, transition_factor=1e-6)
    assert "transitions 3e-10 (1e-06 times)" in caplog.text
    assert "the transitions of the CRF did not move" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO, "bertwright"):
        finetune(*files, model=tagger_model, out=tmp_path / "again", max_steps=4, warmup=0.0)
    assert "transitions 0.03 (100 times)" in caplog.text
    assert "did not move" not in caplog.text


def test_a_step_in_parts_is_the_same_step(tagger: Path) -> None:
    """The loss is a mean over the words of the whole step, however it is cut for memory."""
    predictor, examples = Predictor.load(tagger), tagged_sentences(12, 5)
    task, model = predictor.task.as_task(), predictor.model
    assert model is not None
    data = prepare(task, predictor.tokenizer, examples, Reading(10, "window", 2))
    steps = ExampleSteps(data, 12, seed=0)
    losses = [
        sum(
            task.loss(model, part.batch, part.targets, part.weights)["loss"].item()
            for part in steps.parts(0, micro_tokens)
        )
        for micro_tokens in (10_000, 40, 1)
    ]
    assert len(list(steps.parts(0, 1))) > len(list(steps.parts(0, 40))) > 1
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_data_in_json_and_in_memory_train_the_same(tagger_model: Path, tmp_path: Path) -> None:
    train, dev = tagged_sentences(40, 1), tagged_sentences(10, 2)
    path = write(tmp_path / "train.jsonl", train, "doccano")
    settings: dict[str, Any] = {"max_steps": 2, "scheme": "bioes"}
    first = finetune(path, dev, model=tagger_model, out=tmp_path / "a", **settings)
    second = finetune(train, dev, model=tagger_model, out=tmp_path / "b", **settings)
    assert first.outcome.history[-1].loss == second.outcome.history[-1].loss
    weights = [BertCrfForTokenClassification.from_pretrained(tmp_path / one / "best") for one in "ab"]
    assert torch.equal(weights[0].crf.transitions, weights[1].crf.transitions)
    assert list(weights[0].config.labels[:5]) == ["O", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]


def test_show_alignment(command: Command, tagger_model: Path, files: tuple[Path, Path], train_csv: Path) -> None:
    shown = command("inspect", files[0], "--model", tagger_model, "--show-alignment", "2")
    assert shown.code == 0, shown.err
    example = tagged_sentences(1, 1)[0]
    assert example.text in shown.out
    block = shown.out[shown.out.index(example.text) :].splitlines()[1:4]
    assert "[CLS]" in block[1]
    assert "B-" in block[2]
    plain = command("inspect", train_csv, "--model", tagger_model, "--show-alignment", "1")
    assert plain.code == 0, plain.err
    assert "[CLS]" in plain.out


def test_convert_data(command: Command, tmp_path: Path) -> None:
    source = write(tmp_path / "a.bmes", tagged_sentences(20, 3))
    for name, options in (("a.jsonl", ()), ("a.json", ()), ("b.jsonl", ("--to", "cluener")), ("a.bioes", ())):
        done = command("convert-data", source, tmp_path / name, *options)
        assert done.code == 0, done.err
        assert "20 texts with" in done.out
        source = tmp_path / name
    assert "S-PER" in source.read_text(encoding="utf-8")
    told = json.loads(command("convert-data", source, tmp_path / "b.bmes", "--json").out)
    assert (told["form"], told["scheme"], told["texts"], told["not_told_apart"]) == ("columns", "bmes", 20, [])
    assert told["entities"] > 20
    refused(command("convert-data", source, tmp_path / "a.json"), "BW122")
    assert command("convert-data", source, tmp_path / "a.json", "--overwrite").code == 0
    refused(command("convert-data", source, tmp_path / "x.docx"), "BW121")
    refused(command("convert-data", source, tmp_path / "x.bio", "--scheme", "bxo"), "BW120")


def test_convert_data_says_what_a_scheme_cannot_tell_apart(command: Command, tmp_path: Path) -> None:
    source = tmp_path / "a.bio"
    source.write_text("Anna B-PER\nBert B-PER\nOslo B-LOC\nis O\n\nBonn B-LOC\nand O\nBern B-LOC\n", encoding="utf-8")
    done = command("convert-data", source, tmp_path / "a.conll", "--scheme", "io")
    assert "2 texts with 4 entities (columns, IO)" in done.out
    assert f"1 more stands directly behind one of the same type, and IO cannot tell them apart: {source}:1" in done.err
    again = command("convert-data", tmp_path / "a.conll", tmp_path / "a.jsonl")
    assert "2 texts with 4 entities" in again.out
    for scheme in ("bio", "iob1", "bioes"):
        done = command("convert-data", source, tmp_path / f"{scheme}.conll", "--scheme", scheme)
        assert (f"with 5 entities (columns, {scheme.upper()})" in done.out, "apart" in done.err) == (True, False)


@pytest.mark.parametrize("name", ["a.bio", "a.jsonl", "a.json"])
@pytest.mark.parametrize(
    "text", [r'{"text": "a \ud83d b", "label": []}', r'{"text": "ab", "label": [[0, 1, "\ude00"]]}']
)
def test_convert_data_refuses_half_a_character(command: Command, tmp_path: Path, name: str, text: str) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "fine", "label": []}\n' + text + "\n", encoding="utf-8")
    done = command("convert-data", source, tmp_path / name)
    refused(done, "BW406")
    assert f"{source}:2" in done.err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("BW245", '{"text": "上海大学", "label": [[0, 4, "ORG"], [0, 2, "LOC"]]}', ()),
        ("BW246", '{"text": "nothing here", "label": []}', ()),
        ("BW123", '{"text": "Oslo", "label": [[0, 4, "LOC"]]}', ("--task", "taging")),
        ("BW124", '{"text": "Oslo", "label": [[0, 4, "LOC"]]}', ("class_weight=balanced",)),
        ("BW124", '{"text": "Oslo", "label": [[0, 4, "LOC"]]}', ("--text-column", "text")),
        ("BW124", '{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}', ("--head", "crf")),
        ("BW102", '{"text": "Oslo", "label": [[0, 4, "LOC"]]}', ("--head", "lstm")),
        ("BW248", '{"text": "a", "label": "x"}', ("--task", "tagging")),
        ("BW242", "one\ntwo\n", ("--task", "tagging")),
    ],
)
def test_mistakes(
    command: Command, tagger_model: Path, tmp_path: Path, code: str, text: str, words: tuple[str, ...]
) -> None:
    train = tmp_path / ("train.jsonl" if text.startswith("{") else "train.txt")
    train.write_text(text + "\n", encoding="utf-8")
    refused(command("finetune", train, "--model", tagger_model, "--out", tmp_path / "run", *words), code)


def test_a_type_in_dev_only_is_refused(
    command: Command, tagger_model: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    dev = tmp_path / "dev.jsonl"
    dev.write_text('{"text": "Oslo", "label": [[0, 4, "CITY"]]}\n', encoding="utf-8")
    words = ("finetune", files[0], "--dev", dev, "--model", tagger_model, "--out", tmp_path / "run")
    refused(command(*words), "BW255")


def test_a_tagger_that_finds_nothing_gets_advice_that_fits(
    tagger_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One text in twelve has an entity, and two steps teach nothing but O."""
    marked = [one for one in tagged_sentences(40, 1) if spans_of(one)][:5]
    empty = [replace(one, answer=Marked(())) for one in tagged_sentences(200, 2) if not spans_of(one)]
    texts = [*marked, *(empty * 2)[:55]]
    finetune(
        texts, texts, model=tagger_model, out=tmp_path / "run", task="tagging", max_steps=12, learning_rate=5e-3,
        batch_size=30,
    )  # fmt: skip
    assert "the model answers 'no entity' to all 60 dev texts" in caplog.text
    assert "more epochs help" in caplog.text
    assert "class_weight" not in caplog.text
