"""Every recipe runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recipes.number_writing import write_pairs

from bertwright import BertForPreTraining
from bertwright.data.samples import stories
from bertwright.data.tagged.writing import lines_for
from bertwright.training.pretraining.pretrain_settings import PretrainSettings

from ..tagged_texts import tagged_sentences
from .conftest import Command

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
PRETRAINING = [one for one in RECIPES if "bertwright pretrain" in one.read_text(encoding="utf-8")]


@pytest.mark.parametrize("recipe", [one for one in RECIPES if one not in PRETRAINING], ids=lambda path: path.stem)
def test_a_recipe_runs_for_two_steps(
    recipe: Path,
    command: Command,
    tiny_model: Path,
    tagger_model: Path,
    train_csv: Path,
    dev_csv: Path,
    tmp_path: Path,
) -> None:
    train, dev, model = train_csv, dev_csv, tiny_model
    if "--task tagging" in recipe.read_text(encoding="utf-8"):
        model = tagger_model
        train, dev = tmp_path / "train.conll", tmp_path / "dev.conll"
        for seed, path in enumerate((train, dev)):
            path.write_text("".join(lines_for(tagged_sentences(40, seed), "columns", "bio")), encoding="utf-8")
    more: list[str] = []
    if "--task seq2seq" in recipe.read_text(encoding="utf-8"):
        more = ["--task", "seq2seq"]
        train, dev = write_written(recipe.stem, tmp_path)
        if "shape = " in recipe.read_text(encoding="utf-8"):
            model = tmp_path / "vocab"
            made = command("vocab", tmp_path / "corpus.txt", "--size", 150, "--out", model, "--workers", 1)
            assert made.code == 0, made.err
    result = command(
        "finetune", train, "--dev", dev, "--model", model, "--out", tmp_path / "run", "--recipe", recipe, *more,
        "max_steps=2",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "step 2 " in result.err


def write_written(recipe: str, folder: Path) -> tuple[Path, Path]:
    """Training and dev data in the form that the recipe is for."""
    if recipe.startswith("numbers"):
        write_pairs(folder, 200, 16, seed=1)
        return folder / "train.tsv", folder / "test.tsv"
    passage = "The weather was good. We went to the park with a dog, and it was happy. Then it rained."
    questions = [
        {"id": f"q{i}", "question": f"What was good {i}?", "answers": [{"text": "weather", "answer_start": 4}]}
        for i in range(16)
    ]
    whole = {"data": [{"title": "", "paragraphs": [{"context": passage, "qas": questions}]}]}
    (folder / "squad.json").write_text(json.dumps(whole), encoding="utf-8")
    return folder / "squad.json", folder / "squad.json"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("recipe", PRETRAINING, ids=lambda path: path.stem)
def test_a_recipe_of_pretraining_runs_from_the_bundled_stories(
    recipe: Path, language: str, command: Command, tmp_path: Path
) -> None:
    vocab, store, run = tmp_path / "vocab", tmp_path / "store", tmp_path / "run"
    text = stories(language)
    assert command("vocab", text, "--size", 1000, "--out", vocab, "--workers", 1).code == 0
    made = command("prepare", text, "--vocab", vocab, "--out", store, "--workers", 1, "--json")
    assert made.code == 0, made.err
    assert json.loads(made.out)["documents"] == 40
    result = command("pretrain", store, "--out", run, "--recipe", recipe, "max_steps=2", "eval_examples=8")
    assert result.code == 0, result.err
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["finished"]
    assert record["steps"] == 2
    wished = PretrainSettings.resolve(recipe, ["max_steps=2"])
    assert record["settings"]["max_length"] == wished.max_length
    rows = (run / "metrics.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("epoch,step,")
    assert len(rows) == 2
    assert "max_steps = 2" in (run / "README.md").read_text(encoding="utf-8")
    net = BertForPreTraining.from_pretrained(run / "best")
    assert net.config.num_hidden_layers == wished.config_values()["num_hidden_layers"]
    assert net.config.vocab_size == len((vocab / "vocab.txt").read_text(encoding="utf-8").split("\n")) - 1
    filled = command("predict", run, "[MASK] .")
    assert filled.code == 0, filled.err


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 5
    assert PRETRAINING
