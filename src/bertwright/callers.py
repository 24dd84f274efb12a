"""Who reads a message: a person at the command line, or one who called a function in Python.

Messages are written for the command line. For a Python program their options are said as the arguments of its calls
(`--label-column NAME` as `label="NAME"`); whole commands stay, since a shell runs them beside any program. An entry
of the catalogue whose way out is another one in Python says it itself, under `python_en` and `python_zh`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_typed = ContextVar("typed", default=False)

# Options whose argument has another name, or is a setting of another kind.
_ARGUMENTS = {
    "text_column": "text", "text_b_column": "text_b", "label_column": "label", "skip_bad_lines": "skip_bad",
    "no_labels": "labelled", "output": "out", "input": "data", "set": "choices",
}  # fmt: skip
_FLAGS = {
    "overwrite": "True", "resume": "True", "download": "True", "drop_unlabelled": "True", "skip_bad_lines": "True",
    "wwm": "True", "fold_width": "True", "cased": "True", "half": "True", "no_labels": "False",
}  # fmt: skip
_OF_A_SHELL = (
    ("`inspect --no-labels`", "`bertwright.inspect(…, labelled=False)`"),
    ("on the command line", "as an argument"),
    ("在命令行写", "在调用里写"),
    ("the same command", "the same call"),
    ("this command", "this call"),
    ("同样的命令", "同样的调用"),
    ("同样命令", "同样的调用"),
    ("原来的命令", "原来的调用"),
    ("这条命令", "这个调用"),
    ("这个命令", "这个调用"),
)
# A command as a shell takes it, up to the sign that ends it; or anything between backticks.
_COMMAND = re.compile(r"`[^`]*`|\b(?:bertwright [a-z]|hf download |pip install )[^;；，）`]*")
_VALUE = (
    r"'[^']*'|\"[^\"]*\"|\{[^}]*\}|[A-Z]{2,}(?:\.[a-z]+)?\b|列名|字段名|编码名|字符|文件夹|文件(?:\.csv)?|目录|令牌|模型|\d[\d.]*|"
    r"runs/\w+|gb18030|classification|regression|tagging|spans|seq2seq|line\b|file\b|blank\b"
)
_OPTION = re.compile(rf"--(?P<name>\w[\w-]*)(?:[ =](?P<value>{_VALUE}))?(?P<list>,\d+(?:,\d+)*)?")


@contextmanager
def at_the_command_line() -> Iterator[None]:
    """In the block whoever reads a message typed a command."""
    before = _typed.set(True)
    try:
        yield
    finally:
        _typed.reset(before)


def is_typed() -> bool:
    """Whether the reader of messages typed a command."""
    return _typed.get()


def for_python(text: str) -> str:
    """A template of a message with the arguments of Python in the place of options; commands stay as they are."""
    for shell, python in _OF_A_SHELL:
        text = text.replace(shell, python)
    parts, at = [], 0
    for command in _COMMAND.finditer(text):
        parts += [_in_python(text[at : command.start()]), command[0]]
        at = command.end()
    return "".join([*parts, _in_python(text[at:])])


def _in_python(text: str) -> str:
    return _OPTION.sub(_argument, text)


def _argument(option: re.Match[str]) -> str:
    name = option["name"].replace("-", "_")
    argument = _ARGUMENTS.get(name, name)
    value = option["value"]
    if option["list"]:
        return f"{argument}=[{value}{option['list'].replace(',', ', ')}]"
    if value is None:
        return f"{argument}={_FLAGS.get(name, '')}"
    plain = value.strip("'\"")
    is_code = re.fullmatch(r"\d[\d.]*", plain) or value.endswith("!q}")
    return f"{argument}={plain.replace('!q}', '!r}')}" if is_code else f'{argument}="{plain}"'
