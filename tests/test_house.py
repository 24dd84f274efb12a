"""The rules of the house, each one test that lists whatever breaks it.

Rooms import one way, files stay small and have a name of their own, every error is in the catalogue and in the
docstring of the function that raises it. How entangled a function may be is a rule of the linter (`pyproject.toml`).
"""

from __future__ import annotations

import ast
import functools
import os
import re
import string
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bertwright.errors import catalogue
from bertwright.wording import LANGUAGES

SOURCE = Path(__file__).parents[1] / "src" / "bertwright"
# The order of the rooms: each may import those before it. `checkpoint` knows names and tensors, nothing else,
# and stands first because the tokenizer, too, is found by the name of a model.
ROOMS = [
    "machine", "checkpoint", "text", "data", "corpus", "model", "evaluation", "tasks", "engines", "runs", "reports",
    "training", "inference", "serving", "doctor", "cli",
]  # fmt: skip
APART = ({"training", "inference"},)  # neither knows the other
ABOVE = {"callers", "errors", "habits", "settings", "console", "plugins", "progress", "reasons", "version", "wording"}
LONGEST = 330  # lines of a file
FILES = sorted(SOURCE.rglob("*.py"))


@functools.cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(text_of(file))


def short(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


def room(file: Path) -> str:
    parts = file.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else "top"


def none_of(offenders: Iterable[str]) -> None:
    if found := list(offenders):
        pytest.fail("\n".join(found), pytrace=False)


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name for name in names if name.startswith("bertwright.")}


def test_rooms_import_one_way() -> None:
    assert {room(file) for file in FILES} - {"top"} <= set(ROOMS)
    seen = {name: {*ROOMS[: ROOMS.index(name) + 1], *ABOVE} for name in ROOMS}
    for pair in APART:
        for name in pair:
            seen[name] -= pair - {name}
    none_of(
        f"{short(file)} imports {name}"
        for file in FILES
        if room(file) != "top"  # the package's front door and the command's
        for name in sorted(imported(tree_of(file)))
        if name.split(".")[1] not in seen[room(file)]
    )


def test_everything_is_printed_on_the_plain_console() -> None:
    none_of(
        f"{short(file)}: plain_console(), not Console()"
        for file in FILES
        if file.name != "console.py" and re.search(r"(?<!\w)Console\(", text_of(file))
    )


def test_every_file_says_what_is_in_it() -> None:
    none_of(f"{short(file)} has no docstring" for file in FILES if not ast.get_docstring(tree_of(file)))


def test_every_file_has_a_name_of_its_own_that_says_something() -> None:
    count = Counter(file.name for file in FILES if file.name != "__init__.py")
    none_of(f"{short(file)}: another file has this name" for file in FILES if count[file.name] > 1)
    empty = r"(utils?|helpers?|common|misc|base)"
    none_of(f"{short(file)}: the name says nothing" for file in FILES if re.fullmatch(empty, file.stem))


def test_files_stay_small() -> None:
    lines = {short(file): text_of(file).count("\n") for file in FILES}
    none_of(f"{name} has {count} lines" for name, count in lines.items() if count > LONGEST)


def test_messages_stand_in_the_order_of_their_codes_and_no_code_stands_twice() -> None:
    files = sorted((SOURCE / "messages").glob("*.toml"))
    codes = {file.name: list(tomllib.loads(text_of(file))) for file in files}
    none_of(f"{name} is not sorted" for name, found in codes.items() if found != sorted(found))
    hundreds = {name: {code[:3] for code in found} for name, found in codes.items()}
    none_of(f"{name} holds {sorted(found)}" for name, found in hundreds.items() if len(found) > 1)
    count = Counter(code for found in codes.values() for code in found)
    none_of(f"{code} stands {times} times" for code, times in count.items() if times > 1)


def supplied_fields() -> Iterator[tuple[str, str, set[str]]]:
    """Where the source makes an error, its code, and the fields that it supplies."""
    for file in FILES:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BertwrightError":
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    fields = {keyword.arg or "" for keyword in node.keywords}
                    yield f"{short(file)}:{node.lineno}", str(code.value), fields


def asked_fields(code: str, lang: str) -> set[str]:
    parsed = [part for text in catalogue()[code][lang] for part in string.Formatter().parse(text)]
    return {name for _, name, _, _ in parsed if name is not None}


def test_every_code_is_in_the_catalogue_and_every_entry_is_raised() -> None:
    named = {code for file in FILES for code in re.findall(r'"(BW\d{3})"', text_of(file))}
    none_of(f"{code} is not in the catalogue" for code in sorted(named - set(catalogue())))
    none_of(f"{code} is raised nowhere" for code in sorted(set(catalogue()) - named))


def test_every_message_is_whole_in_both_languages() -> None:
    for lang in LANGUAGES:
        three = {code: [bool(text.strip()) for text in entry[lang]] for code, entry in catalogue().items()}
        none_of(f"{code} {lang}: not three texts" for code, texts in three.items() if texts != [True] * 3)
    chinese = re.compile(r"[\u4e00-\u9fff]")
    none_of(f"{code} zh: no Chinese" for code, entry in catalogue().items() if not chinese.search("".join(entry["zh"])))
    none_of(f"{code}: exit code" for code, entry in catalogue().items() if entry.get("exit", 1) not in (1, 2))
    none_of(
        f"{code}: the languages ask for other fields"
        for code in catalogue()
        if asked_fields(code, "en") != asked_fields(code, "zh")
    )


def test_the_code_supplies_the_fields_that_a_message_asks_for() -> None:
    none_of(
        f"{place} supplies {sorted(fields)}, {code} asks for {sorted(asked_fields(code, 'en'))}"
        for place, code, fields in supplied_fields()
        if code in catalogue() and fields != asked_fields(code, "en")
    )


def public_functions(body: list[ast.stmt], around: str = "") -> Iterator[tuple[ast.FunctionDef, str]]:
    """Public functions and methods with their docstrings; that of `__init__` and its kin may stand in the class."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, ast.get_docstring(node) or "")
        elif isinstance(node, ast.FunctionDef):
            special = node.name.startswith("__")
            if special or not node.name.startswith("_"):
                yield node, (ast.get_docstring(node) or "") + (around if special else "")


def codes_raised(function: ast.FunctionDef) -> set[str]:
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc]
    found = [node.value for exc in raised for node in ast.walk(exc) if isinstance(node, ast.Constant)]
    return {value for value in found if isinstance(value, str) and re.fullmatch(r"BW\d{3}", value)}


def codes_in(docstring: str) -> set[str]:
    """The codes that a docstring names, `BW201 to BW203` being three."""
    pairs = re.findall(r"BW(\d{3})(?:\s+to\s+BW(\d{3}))?", docstring)
    return {f"BW{code}" for first, last in pairs for code in range(int(first), int(last or first) + 1)}


def test_a_public_function_names_the_errors_that_it_raises() -> None:
    none_of(
        f"{short(file)}:{function.lineno} {function.name}: {', '.join(sorted(missing))}"
        for file in FILES
        if room(file) != "cli"  # there a docstring is the help of a command
        for function, docstring in public_functions(tree_of(file).body)
        if (missing := codes_raised(function) - codes_in(docstring))
    )


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
