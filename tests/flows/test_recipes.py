"""Every recipe runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Command

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize(
    "recipe", [one for one in RECIPES if not one.stem.startswith("pretrain")], ids=lambda path: path.stem
)
def test_a_recipe_runs_for_two_steps(
    recipe: Path, command: Command, tiny_model: Path, train_csv: Path, dev_csv: Path, tmp_path: Path
) -> None:
    result = command(
        "finetune", train_csv, "--dev", dev_csv, "--model", tiny_model, "--out", tmp_path / "run", "--recipe", recipe,
        "max_steps=2",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "step 2 " in result.err


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 5
