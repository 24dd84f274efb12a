"""Every recipe runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertwright.data.spans.writing import lines_for

from ..tagged_texts import tagged_sentences
from .conftest import Command

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize(
    "recipe", [one for one in RECIPES if not one.stem.startswith("pretrain")], ids=lambda path: path.stem
)
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
    result = command(
        "finetune", train, "--dev", dev, "--model", model, "--out", tmp_path / "run", "--recipe", recipe,
        "max_steps=2",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "step 2 " in result.err


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 7
