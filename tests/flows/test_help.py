"""What the house says of its commands holds: options have their help, and every command that is shown can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from bertwright.cli.main import app
from bertwright.errors import catalogue
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings
from bertwright.training.finetuning.task_settings import every_setting
from bertwright.training.pretraining.pretrain_settings import PretrainSettings
from bertwright.wording import LANGUAGES

GROUP = typer.main.get_command(app)
COMMANDS = GROUP.commands  # type: ignore[attr-defined]
REPOSITORY = Path(__file__).parents[2]
SETTINGS = {name for kind in (every_setting(), PretrainSettings, GenerationSettings) for name in kind.model_fields}
# What the messages of the interface in Python name, those of pandas, and `key=value` itself.
ARGUMENTS = {
    "dev", "ignore_mismatched_sizes", "is_split_into_words", "key", "label", "lines", "max_length", "orient",
    "padding", "pad_to_multiple_of",
    "return_offsets_mapping", "return_tensors", "stride", "target_modules", "tie_word_embeddings", "truncation",
}  # fmt: skip


def options() -> set[str]:
    """The options of all commands."""
    parameters = [one for command in (GROUP, *COMMANDS.values()) for one in command.params]
    return {"--help", *(name for one in parameters for name in (*one.opts, *one.secondary_opts))}


def shown_in_help() -> list[str]:
    lines = [line.strip() for command in COMMANDS.values() for line in (command.help or "").splitlines()]
    return [line for line in lines if re.match(r"(cat .*)?bertwright ", line)]


def shown_in_readme(name: str) -> list[str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("bertwright ")]
    assert len(lines) > 10
    return lines + re.findall(r"`(bertwright [^`]+)`", text)


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_a_command_and_every_option_of_it_say_what_they_are_for(verb: str) -> None:
    command = COMMANDS[verb]
    assert (command.help or "").strip()
    for parameter in command.params:
        assert (parameter.help or "").strip(), parameter.name


@pytest.mark.parametrize("line", [*shown_in_help(), *shown_in_readme("README.md"), *shown_in_readme("README.zh.md")])
def test_a_command_that_is_shown_can_be_typed(line: str) -> None:
    assert re.search(r"[()（）]", re.sub(r"\"[^\"]*\"", "", line)) is None, "a shell would take it for its own"
    words = shlex.split(line[line.index("bertwright ") :].split(" > ")[0], comments=True)[1:]
    if words[0] in options():
        return
    try:
        COMMANDS[words[0]].make_context(words[0], words[1:])
    except typer.Exit:
        assert words[-1] in ("--help", "--show-settings")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_options_and_settings_of_a_message_are_there(lang: str) -> None:
    for code, entry in catalogue().items():
        for text in entry[lang]:
            text = re.sub(r"\bhf [^)）]*", "", text)  # a command of another program
            assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= options(), code
            assert set(re.findall(r"\bbertwright ([a-z-]+) [-A-Z\"\u4e00-\u9fff]", text)) <= {*COMMANDS}, code
            assert set(re.findall(r"\b([a-z_]+)=[^=\s]", text)) <= SETTINGS | ARGUMENTS, code
