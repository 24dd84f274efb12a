"""The rules of the house: imports point one way, files stay small, every error is in the catalogue."""

from __future__ import annotations

import ast
import os
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bertwright.errors import LANGUAGES, BertwrightError, catalogue, language, nearest, shown

SOURCE = Path(__file__).parents[1] / "src" / "bertwright"
# The order of the rooms: each may import those before it. `checkpoint` knows names and tensors, nothing else,
# and stands first because the tokenizer, too, is found by the name of a model.
ROOMS = [
    "machine", "checkpoint", "text", "data", "corpus", "model", "evaluation", "tasks", "runs", "reports", "training",
    "inference", "serving", "doctor", "cli",
]  # fmt: skip
APART = ({"training", "inference"},)  # neither knows the other
ABOVE = {"errors", "settings", "console", "version"}
FILES = sorted(SOURCE.rglob("*.py"))


def room(file: Path) -> str:
    parts = file.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else "top"


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name for name in names if name.startswith("bertwright.")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_point_up(file: Path) -> None:
    here = room(file)
    if here == "top":
        return  # the package's front door and the command's
    allowed = set(ROOMS[: ROOMS.index(here) + 1]) | ABOVE
    allowed -= {other for pair in APART if here in pair for other in pair - {here}}
    for name in imported(ast.parse(file.read_text(encoding="utf-8"))):
        assert name.split(".")[1] in allowed, f"{file.name} in {here}/ imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_everything_is_printed_on_the_plain_console(file: Path) -> None:
    if file.name != "console.py":
        assert not re.search(r"(?<!\w)Console\(", file.read_text(encoding="utf-8")), "plain_console(), not Console()"


def test_every_room_is_in_the_order() -> None:
    assert {room(file) for file in FILES} - {"top"} <= set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_file_without_a_docstring_or_with_a_name_that_says_nothing(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert not re.fullmatch(r"(utils?|helpers?|common|misc|base)", file.stem)


def raised_errors() -> dict[str, list[set[str]]]:
    """Every code that the source raises, with the fields that each place supplies."""
    found: dict[str, list[set[str]]] = {}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BertwrightError":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.setdefault(first.value, []).append({keyword.arg or "" for keyword in node.keywords})
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def codes_named_in_source() -> set[str]:
    text = "\n".join(file.read_text(encoding="utf-8") for file in FILES)
    return set(re.findall(r'"(BW\d{3})"', text))


def test_every_code_is_in_the_catalogue_and_every_entry_is_raised() -> None:
    assert codes_named_in_source() == set(catalogue())


def test_messages_stand_in_the_order_of_their_codes_and_no_code_stands_twice() -> None:
    files = sorted((SOURCE / "messages").glob("*.toml"))
    codes = {file.name: list(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files}
    assert not {name: found for name, found in codes.items() if found != sorted(found)}
    hundreds = {name: {code[:3] for code in found} for name, found in codes.items()}
    assert sorted(one for found in hundreds.values() for one in found) == [f"BW{n}" for n in range(1, len(files) + 1)]


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_an_entry_is_whole(code: str) -> None:
    entry = catalogue()[code]
    fields = {}
    for lang in LANGUAGES:
        assert len(entry[lang]) == 3
        assert all(text.strip() for text in entry[lang])
        fields[lang] = set().union(*(placeholders(text) for text in entry[lang]))
    assert fields["en"] == fields["zh"]
    assert re.search(r"[\u4e00-\u9fff]", "".join(entry["zh"]))
    assert entry.get("exit", 1) in (1, 2)
    for supplied in raised_errors().get(code, []):
        assert fields["en"] == supplied, "the fields that the text asks for are those that the code supplies"


def test_a_message_has_its_code_and_three_parts_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    error = BertwrightError("BW201", file="x.csv")
    assert str(error).splitlines()[0] == "error BW201: x.csv: there is no such file"
    assert [line.split(":")[0].strip() for line in str(error).splitlines()[1:]] == ["likely cause", "what to do"]
    assert "没有这个文件" in error.message("zh")
    monkeypatch.setenv("BERTWRIGHT_LANG", "zh_CN.UTF-8")
    assert language() == "zh"
    assert str(error) == error.message("zh")


def test_a_command_in_a_message_can_be_copied() -> None:
    error = BertwrightError("BW302", folder=Path("my model"), file="vocab.txt")
    assert str(error).splitlines()[0] == "error BW302: my model: no vocab.txt in this folder"
    assert all("ls 'my model'" in error.message(lang) for lang in LANGUAGES)


def test_an_error_survives_pickling() -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(BertwrightError("BW201", file="x.csv")))
    assert (copy.code, copy.fields, copy.exit_code) == ("BW201", {"file": "x.csv"}, 2)


def test_nearest_and_shown() -> None:
    assert nearest("learing_rate", ["epochs", "learning_rate"]) == "learning_rate"
    assert nearest("zzz", ["epochs"]) == ""
    assert shown(range(10), 3) == "0, 1, 2, … (+7)"


def test_importing_the_package_and_asking_for_help_load_no_heavy_library() -> None:
    heavy = ("torch", "numpy", "tokenizers", "pydantic", "huggingface_hub")
    code = f"import sys, bertwright, bertwright.cli.main; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize(("given", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_of_a_command_wait_asleep_unless_a_person_says_otherwise(given: str | None, found: str) -> None:
    code = (
        "import atexit, os, sys, bertwright.cli.main as cli; sys.argv = ['bertwright', '--version'];"
        "atexit.register(lambda: print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)); cli.main()"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {} if given is None else {"OMP_WAIT_POLICY": given}
    result = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == f"{found} False"  # before torch reads it
