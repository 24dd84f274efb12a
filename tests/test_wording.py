"""Every sentence that a person reads is there in both languages, and none is said without the catalogue.

What the code says goes through `bertwright.wording` (`said`, `Phrase`, `quantity`, `worded`); help of commands and
descriptions of settings stand as plain English and are looked up when they are printed.
"""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from pydantic_core._pydantic_core import list_all_errors

from bertwright.cli.helping import needs_words, paragraphs
from bertwright.cli.main import app
from bertwright.model.seq2seq.generation.generation_settings import GenerationSettings
from bertwright.training.finetuning.task_settings import every_setting
from bertwright.training.pretraining.pretrain_settings import PretrainSettings
from bertwright.wording import MESSAGES, Phrase, phrases, quantity, said, shown
from tests.test_house import FILES, none_of, short, tree_of

SAYS = {"said", "Phrase", "quantity", "worded"}
LOOKED_UP = {"help", "description", "metavar"}  # keywords whose text is translated when it is printed
OPTIONS = {"justify", "title_justify", "overflow", "style", "errors", "encoding", "mode"}
NOT_READ = {  # calls whose strings are no words for users
    "ValueError", "TypeError", "RuntimeError", "AssertionError", "NotImplementedError", "KeyError", "AttributeError",
    "compile", "fullmatch", "match", "search", "sub", "findall", "finditer", "debug", "overload", "deprecated",
}  # fmt: skip
PRINTS = {  # calls in which a single word is read, too
    "print", "echo", "info", "warning", "_say", "_table", "add_column", "add_row", "Table", "ScoreTable", "set_title",
    "set_xlabel", "set_ylabel",
}  # fmt: skip
COMMAND = re.compile(r"^\W*(```)?\W*(bertwright|pip install|from \w+ import|python) ")
FINDINGS = {"Finding", "_finding"}  # whose first two arguments are names of kinds
SENTENCE = re.compile(r"[A-Za-z][a-z]+,? [a-z]{2,}")
WORD = re.compile(r"\b[A-Za-z][a-z]{2,}\b")
KNOWN = list_all_errors()  # the reasons of pydantic, which settings give
HELP_OF_THE_LIBRARY = {
    "Usage:", "Options:", "Arguments:", "Commands:", "[default: ", "[required]", "[OPTIONS]", "COMMAND [ARGS]...",
    "<str>", "<path>", "<int>", "<int range>", "<float>", "<list[str]>", "<list[Path]>", "Show this message and exit.",
}  # fmt: skip
# Strings that look like words and are none for users (names of fields, formats, programs): "file.py": {"string"}.
NO_WORDS: dict[str, set[str]] = {
    "data/reading/delimited.py": {"unexpected end of data"},
    "machine/device.py": {"device string", "Expected one of"},
    "machine/processor.py": {"model name"},
    "training/pretraining/pretrain.py": {"from scratch"},  # stored
    "training/watchers.py": {"output of "},
    "evaluation/summary.py": {"these examples, cross-fitted", "the run"},  # values in JSON
    "tasks/seq2seq.py": {"the task is not bound to a vocabulary"},
    "cli/demo.py": {
        "This is a great movie!",
        "bertwright predict ",
        "bertwright finetune YOUR.csv --out runs/first      # ",
    },
    "reports/plots.py": {"outside lower right", "outside lower left", "upper left"},
    "reports/card.py": {  # commands and code
        "bertwright predict ",
        "tags: [bert, bertwright]\n---\n\n# ",
        "\nbertwright evaluate ",
        "\n```python\nfrom bertwright import Predictor\nanswer = Predictor.load(",
        'from transformers import pipeline\nprint(pipeline("',
    },
    "cli/usage.py": {  # what the library says
        "not take",
        "Missing command\\.",
        "Input should be greater than or equal to (?P<ge>\\S+)",
        "Input should be less than or equal to (?P<le>\\S+)",
        "'(?P<value>.*)' is not a valid integer\\.",
        "'(?P<value>.*)' is not a valid float\\.",
        "(?P<value>.*) is not in the range (?P<range>.*)\\.",
        "Got unexpected extra argument.{0,3} \\((?P<words>.*)\\)",
        "Option '(?P<option>.*)' does not take a value.*",
    },
    "callers.py": {  # parts of messages, in both languages
        "on the command line",
        "as an argument",
        "the same command",
        "the same call",
        "this command",
        "this call",
    },
    "corpus/drawing/sampler.py": {" examples, not "},  # of a programmer's mistake
    "doctor/proof.py": {"good food", "a great film", "bad food", "a poor film"},  # to learn from
    "__init__.py": {"module 'bertwright' has no attribute "},
    "cli/preparing.py": {" --out runs/pretrained"},
    "errors.py": {"likely cause", "what to do"},  # beside their Chinese
    "habits.py": {"--device cuda", "--device cpu"},
    "inference/evaluate.py": {" examples of "},  # a repr
    "model/classes.py": {"one more"},
    "model/growth.py": {" layers cannot grow to "},
    "model/seq2seq/generation/generate.py": {"config.json: decoder_start_token_id, eos_token_id"},
    "model/seq2seq/seq2seq_config.py": {"learned, sinusoidal"},
    "reports/pretrain_card.py": {
        "---\nlibrary_name: transformers\npipeline_tag: fill-mask\ntags: [bert, bertwright]\n---\n\n# ",
        " --out runs/first\n```\n\n## ",
    },
    "tasks/entities/entity_task.py": {"wrong type", "wrong place", "not there"},  # values of a column
    "tasks/fill_mask.py": {"the task is not bound to a vocabulary"},
    "text/chinese_words.py": {"longest match, "},  # stored
    "text/tokenizer/batch_encoding.py": {"longest, max_length, do_not_pad", "pt, np"},
    "text/tokenizer/tokenizer.py": {", at most "},  # a repr
}


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def strings(node: ast.AST) -> Iterator[ast.Constant]:
    """The strings below a node, those of f-strings, too; docstrings and what is said by the catalogue left out."""
    for child in ast.iter_child_nodes(node):
        yield from strings_of(child)


def strings_of(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Call) and name_of(node) in SAYS | NOT_READ:
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not isinstance(argument, ast.Constant):
                yield from strings_of(argument)
    elif isinstance(node, ast.keyword) and node.arg in LOOKED_UP | OPTIONS:
        if not isinstance(node.value, ast.Constant):
            yield from strings_of(node.value)
    elif isinstance(node, ast.Subscript):  # a key is no word
        yield from strings_of(node.value)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    elif not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):  # nor is a file
        yield from strings(node)


def outside(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What a person would read in English only, and its line; what stands in the catalogue is looked up somewhere."""
    names = {id(one) for call in ast.walk(tree) if isinstance(call, ast.Call) and name_of(call) in FINDINGS
             for one in call.args[:2]}  # fmt: skip
    for constant in strings(tree):
        text = str(constant.value)
        if SENTENCE.search(text) and id(constant) not in names and text not in phrases() and not COMMAND.search(text):
            yield constant.lineno, text
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and name_of(call) in PRINTS:
            for argument in (*call.args, *(one.value for one in call.keywords if one.arg not in LOOKED_UP | OPTIONS)):
                for constant in printed(argument):
                    text = str(constant.value)
                    is_word = WORD.search(text) and not SENTENCE.search(text) and not COMMAND.search(text)
                    if is_word and text not in phrases():
                        yield constant.lineno, text


def printed(argument: ast.expr) -> Iterator[ast.Constant]:
    """The strings that an argument is, or is made of; not those of a call inside it."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument
    elif isinstance(argument, ast.JoinedStr):
        for value in argument.values:
            yield from printed(value)
    elif isinstance(argument, ast.IfExp):
        yield from printed(argument.body)
        yield from printed(argument.orelse)


def test_no_sentence_for_users_stands_outside_the_catalogue() -> None:
    none_of(
        f"{short(file)}:{line}: {text[:70]!r} is said in English only"
        for file in FILES
        for line, text in outside(tree_of(file))
        if text not in NO_WORDS.get(short(file), ())
    )


def said_in_the_code() -> Iterator[tuple[str, str]]:
    """Where each phrase is said, and the phrase."""
    for file in FILES:
        for call in ast.walk(tree_of(file)):
            if not isinstance(call, ast.Call):
                continue
            place = f"{short(file)}:{call.lineno}"
            at = 1 if name_of(call) == "quantity" else 0
            if name_of(call) in SAYS and len(call.args) > at:
                one = call.args[at]
                for text in (one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,):
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield place, text.value
            for keyword in call.keywords:
                if keyword.arg == "description" and isinstance(keyword.value, ast.Constant):
                    yield place, str(keyword.value.value)


def help_in_the_code() -> Iterator[tuple[str, str]]:
    """Each verb (the program: an empty name), and each paragraph of its help that needs Chinese."""
    group: Any = typer.main.get_command(app)
    for name, command in {"": group, **group.commands}.items():
        texts = [command.help or "", *(one.help or "" for one in command.params)]
        yield from ((name, needs_words(one)) for text in texts for one in paragraphs(text) if needs_words(one))


def test_every_help_has_its_chinese() -> None:
    none_of(
        f"{verb or 'the program'}: no Chinese for {text!r}"
        for verb, text in help_in_the_code()
        if text not in phrases()
    )


def test_every_setting_has_its_chinese() -> None:
    none_of(
        f"{name}: no Chinese for {field.description!r}"
        for kind in (every_setting(), PretrainSettings, GenerationSettings)
        for name, field in kind.model_fields.items()
        if field.description not in phrases()
    )


def test_no_phrase_of_the_catalogue_is_unused() -> None:
    """A phrase stands in the code as it is, or is a template of pydantic, or the help of the library."""
    held = {
        str(one.value)
        for file in FILES
        for one in ast.walk(tree_of(file))
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }
    folded = {part for text in held for part in paragraphs(text)} | held
    ours = set(folded) | {text for _, text in help_in_the_code()} | HELP_OF_THE_LIBRARY
    ours |= {f"column {text}" for text in held}  # headings: `tasks.judged.heading`
    unused = [text for text in phrases() if text not in ours and not of_libraries(text)]
    none_of(f"{text!r} is said nowhere" for text in unused)


def of_libraries(text: str) -> bool:
    return text.startswith("Expecting ") or any(
        one["message_template_python"] == text or one.get("message_template_json") == text for one in KNOWN
    )


def fields(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_phrase_has_its_chinese() -> None:
    none_of(f"{place}: no Chinese for {text!r}" for place, text in said_in_the_code() if text not in phrases())


def test_no_phrase_stands_twice_in_the_catalogue_and_each_has_the_same_facts_in_both_languages() -> None:
    files = sorted((MESSAGES / "phrases").glob("*.toml"))
    count = Counter(text for file in files for text in tomllib.loads(file.read_text(encoding="utf-8")))
    none_of(f"{text!r} stands in {times} files" for text, times in count.items() if times > 1)
    none_of(
        f"{english!r}: other facts in Chinese"
        for english, chinese in phrases().items()
        if fields(english) - {"expected_plural"} != fields(chinese)
    )
    chinese_signs = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]|^[^A-Za-z]*$|^[A-Z0-9\W]+$")
    none_of(f"{english!r}: no Chinese in it" for english, text in phrases().items() if not chinese_signs.search(text))


def test_a_phrase_is_filled_in_either_language(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = Phrase("no {key}", key="text")
    assert (reason.within("en"), reason.within("zh")) == ("no text", "没有 text")
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh")
    assert said("no {key}", key=Phrase("missing")) == "没有 缺失"
    assert quantity(1200, "example") == "1,200 个样本"
    assert shown("abc", limit=2) == "a、b、… (+1)"
    monkeypatch.setenv("BERTWRIGHT_LANG", "en")
    assert quantity(1200, "example") == "1,200 examples"
    assert said("a phrase that nobody wrote down: {x}", x=1) == "a phrase that nobody wrote down: 1"


def test_the_finder_of_sentences_finds_them() -> None:
    source = '''
def f(x):
    """A docstring of many words."""
    log.info("many words here")
    log.info(said("many other words", x="plain words"))
    table.add_row("gauge", f"{x}")
    raise ValueError("words of a programmer")
'''
    assert [text for _, text in outside(ast.parse(source))] == ["many words here", "gauge"]
