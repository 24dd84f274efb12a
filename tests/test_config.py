"""Settings from recipes and words."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from bertwright.errors import BertwrightError
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings
from bertwright.settings import Settings
from bertwright.text.han import is_han
from bertwright.training.finetuning.task_settings import every_setting
from bertwright.training.loop_settings import FinetuneSettings
from bertwright.training.pretraining.pretrain_settings import PretrainSettings
from bertwright.wording import Phrase

WRONG: tuple[object, ...] = (
    "x y",
    -1e9,
    1e9,
    1.5,
    [],
    [[1]],
    [[0.5, 32]],
    [[1, 2, 3]],
    [[1, 4]],
    float("nan"),
    True,
    2**70,
    {},
)


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


@pytest.mark.parametrize("settings", [FinetuneSettings, PretrainSettings, GenerationSettings, Example])
def test_reasons_are_in_the_language_of_the_message(settings: type[Settings]) -> None:
    """Whatever is wrong with whichever setting, a Chinese message says why in Chinese."""
    reasons = [
        error.fields["reason"]
        for name in settings.model_fields
        for value in WRONG
        if (error := refused(settings, name, value)) is not None
    ]
    assert len(reasons) >= 5
    for reason in reasons:
        assert isinstance(reason, Phrase)
        assert not has_han(reason.within("en")), reason
        assert has_han(reason.within("zh")), reason


def refused(settings: type[Settings], name: str, value: object) -> BertwrightError | None:
    """The error that `value` meets; None where the setting takes it."""
    try:
        settings.resolve(None, (), **{name: value})
    except BertwrightError as error:
        return error
    return None


def has_han(text: str) -> bool:
    return any(map(is_han, text))


def test_reasons_name_the_bounds_and_the_choices() -> None:
    def said(word: str) -> str:
        with pytest.raises(BertwrightError) as caught:
            Example.resolve(words=[word])
        return caught.value.texts("zh")[0]

    assert said("rate=0") == "设置 rate = 0 不可用：应大于 0"
    assert said("kind=c").endswith("应为以下之一：'a'、'b'")
    assert said("steps=1.5").endswith("应为整数，不能有小数")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Example().steps = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ("epochs = 2\n\nlernrate = 1e-4\n", "BW147", ("recipe.toml:3: ", "did you mean: learning_rate\n")),
        ("adam_beta1 = 0.9\n", "BW147", ("recipe.toml:1: ", "did you mean: beta2\n")),
        ("seed = 1\n[training]\nepochs = 2\n", "BW147", ("recipe.toml:2: ", "names a table")),
        ("# a remark\nepochs = -1\n", "BW148", ("recipe.toml:2: the setting epochs = -1", "greater than")),
        ("'dev_share' = 7\n", "BW148", ("recipe.toml:1: ",)),
    ],
)
def test_a_mistake_in_a_recipe_names_its_file_and_line(
    lines: str, code: str, told: tuple[str, ...], tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(lines, encoding="utf-8")
    with pytest.raises(BertwrightError, match=code) as caught:
        every_setting().resolve(recipe)
    assert all(part in f"{caught.value}\n" for part in told), str(caught.value)


def test_what_is_typed_over_a_recipe_is_not_said_to_stand_in_it(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("epochs = 2\n", encoding="utf-8")
    with pytest.raises(BertwrightError, match="BW102"):
        every_setting().resolve(recipe, ["epochs=-1"])
    with pytest.raises(BertwrightError, match="BW101"):
        every_setting().resolve(recipe, ["epoks=1"])
