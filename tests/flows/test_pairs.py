"""A model of pairs answers pairs, a model of single texts answers single texts; neither takes the other silently."""

from __future__ import annotations

import io
import json
import shlex
import shutil
from pathlib import Path

import pytest

from bertwright import BertwrightError, Predictor, finetune
from bertwright.data.answers import Label
from bertwright.data.examples import Example, Where
from bertwright.inference.evaluate import evaluate

from .conftest import Command, write_csv
from .test_mistakes import refused

PAIRS = [("a good day", "a fine day", "yes"), ("a bad day", "a good meal", "no")] * 10


@pytest.fixture(scope="module")
def pairs_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pairs"
    finetune(PAIRS, PAIRS, model=tiny_model, out=out, max_steps=2)
    return out


def test_task_json_says_which(run: Path, pairs_run: Path) -> None:
    for folder, expected in ((run, False), (pairs_run, True)):
        assert json.loads((folder / "best" / "task.json").read_text(encoding="utf-8"))["reads_pairs"] is expected


def test_a_single_text_for_a_model_of_pairs(command: Command, pairs_run: Path, tmp_path: Path) -> None:
    refused(command("predict", pairs_run, "a good day"), "BW582")
    single = write_csv(tmp_path / "single.csv", [("a good day", "yes"), ("a bad day", "no")])
    refused(command("predict", pairs_run, "--input", single), "BW222")
    refused(command("evaluate", pairs_run, single), "BW222")
    predictor = Predictor.load(pairs_run)
    for texts in ("a good day", ["a good day", "a fine day"], ("a good day", "a fine day"), [("a", "b"), "c"]):
        with pytest.raises(BertwrightError, match="BW582"):
            predictor(texts)
    with pytest.raises(BertwrightError, match="BW582: data:1"):
        evaluate(pairs_run, [Example("a good day", Label("yes"), Where("data", 1))])


def test_a_pair_for_a_model_of_single_texts(command: Command, run: Path, tmp_path: Path) -> None:
    rows = [(first, second, "positive") for first, second, _ in PAIRS]
    data = write_csv(tmp_path / "pairs.csv", rows, ("sentence1", "sentence2", "label"))
    refused(command("predict", run, "--input", data), "BW581")
    refused(command("evaluate", run, data), "BW581")
    refused(command("compare", run, run, data), "BW581")
    assert command("predict", run, "--input", data, "--text-column", "sentence1").code == 0
    with pytest.raises(BertwrightError, match="BW581: texts:2"):
        Predictor.load(run)(["a good day", ("a good day", "a fine day")])


def test_pairs_are_answered_the_same_wherever_they_come_from(command: Command, pairs_run: Path, tmp_path: Path) -> None:
    # Columns whose names say nothing: that there must be a second text is known from the model.
    data = write_csv(tmp_path / "pairs.csv", [row[:2] for row in PAIRS[:2]], ("eins", "zwei"))
    answers = [answer.to_json() for answer in Predictor.load(pairs_run)([row[:2] for row in PAIRS[:2]])]
    assert [answer.to_json() for answer in Predictor.load(pairs_run)(data)] == answers
    result = command("predict", pairs_run, "--input", data)
    assert result.code == 0, result.err
    for line, (first, second, _), answer in zip(result.out.splitlines(), PAIRS[:2], answers, strict=True):
        assert json.loads(line) == {"text": first, "text_b": second, **answer}
    card = (pairs_run / "README.md").read_text(encoding="utf-8")
    assert '([("a text", "another")])[0]' in card


def test_second_texts_beside_arguments_and_lines_of_stdin(
    command: Command, pairs_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("a good day", "a fine day"), ("a bad day", "a fine day")]
    expected = [answer.to_json() for answer in Predictor.load(pairs_run)(rows)]
    data = write_csv(tmp_path / "pairs.csv", rows, ("eins", "zwei"))
    from_arguments = command("predict", pairs_run, "a good day", "a bad day", "--text-b", "a fine day")
    monkeypatch.setattr("sys.stdin", io.StringIO("a good day\na bad day\n"))
    from_stdin = command("predict", pairs_run, "--text-b", "a fine day")
    lines = "".join(json.dumps({"eins": first, "zwei": second}) + "\n" for first, second in rows)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n{lines}"))
    from_objects = command("predict", pairs_run, "--input", "-")
    for result in (from_arguments, from_stdin, from_objects):
        assert result.code == 0, result.err
        found = [json.loads(line) for line in result.out.splitlines()]
        for one, answer, (first, second) in zip(found, expected, rows, strict=True):
            assert one == {"text": first, "text_b": second, **answer}
    refused(command("predict", pairs_run, "--text-b", "a fine day", "--input", data), "BW115")


def test_the_command_that_comes_next_works(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    for rows, header in ((PAIRS, ("sentence1", "sentence2", "label")), ([row[1:] for row in PAIRS], ("text", "label"))):
        data, out = write_csv(tmp_path / "data.csv", rows, header), tmp_path / f"my runs {len(header)}"
        trained = command("finetune", data, "--dev", data, "--model", tiny_model, "--out", out, "max_steps=1")
        words = trained.out.splitlines()[-1]
        assert words.startswith("next: bertwright ")
        tried = command(*shlex.split(words)[2:])
        assert (tried.code, len(tried.out.splitlines())) == (0, 1), tried.err
        end = words.removeprefix("next: ").rpartition(str(out))[2].removeprefix("'")
        card = (out / "README.md").read_text(encoding="utf-8")
        assert f"bertwright predict '{out.name}'{end}" in card, "by its name: nobody's folders stand in a card"


def test_a_folder_that_does_not_say_answers_both(run: Path, tmp_path: Path) -> None:
    old = shutil.copytree(run / "best", tmp_path / "old")
    (old / "manifest.json").unlink()
    values = json.loads((old / "task.json").read_text(encoding="utf-8"))
    del values["reads_pairs"]
    (old / "task.json").write_text(json.dumps(values), encoding="utf-8")
    assert len(Predictor.load(old)(["a good day", ("a good day", "a fine day")])) == 2


def test_data_that_mixes_both(tiny_model: Path, tmp_path: Path) -> None:
    examples = [
        Example("a good day", Label("yes"), Where("mixed", 1)),
        Example("a bad day", Label("no"), Where("mixed", 2), "why"),
    ]
    with pytest.raises(BertwrightError, match="BW581: mixed:2"):
        finetune(examples, model=tiny_model, out=tmp_path / "run")


def test_a_pair_for_a_tagger(command: Command, tagger_model: Path, tmp_path: Path) -> None:
    from ..tagged_texts import tagged_sentences

    texts = tagged_sentences(20, 1)
    finetune(texts, texts, model=tagger_model, out=tmp_path / "run", max_steps=1)
    with pytest.raises(BertwrightError, match="BW581"):
        Predictor.load(tmp_path / "run")([("one", "two")])
