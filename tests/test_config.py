"""Settings from recipes and words."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from bertwright.config import Settings
from bertwright.errors import BertwrightError


class Example(Settings):
    rate: float = Field(0.1, gt=0)
    steps: int = 3
    kind: Literal["a", "b"] = "a"
    name: str = ""
    long: bool = False


def test_words_over_recipe_over_defaults(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('rate = 0.5\nsteps = 7\nname = "从文件"\n', encoding="utf-8")
    settings = Example.resolve(recipe, ["steps=9", "kind=b", "long=true"], name=None)
    assert settings == Example(rate=0.5, steps=9, kind="b", name="从文件", long=True)
    assert Example.resolve(recipe, ["steps=9"], steps=11).steps == 11


def test_words_need_no_quotes() -> None:
    assert Example.resolve(words=["name=some text", "rate=1e-4"]) == Example(name="some text", rate=1e-4)


@pytest.mark.parametrize(
    ("word", "code", "part"),
    [
        ("stepps=1", "BW101", "steps"),
        ("rate=0", "BW102", "rate = 0"),
        ("rate=nan", "BW102", "rate"),
        ("steps=1.5", "BW102", "steps"),
        ("kind=c", "BW102", "'a' or 'b'"),
        ("steps", "BW103", "steps"),
        ("=1", "BW103", "=1"),
    ],
)
def test_mistakes(word: str, code: str, part: str) -> None:
    with pytest.raises(BertwrightError) as caught:
        Example.resolve(words=[word])
    assert caught.value.code == code
    assert part in str(caught.value)
    assert caught.value.exit_code == 2


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Example().steps = 4  # type: ignore[misc]
